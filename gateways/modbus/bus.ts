// One physical Modbus bus: one connection, one request at a time, commands before polls; reconnects by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Services } from '../shared/protocol.ts';
import { discardInput, faultOf, sendRead, sendWrite, type ModbusClient } from './client.ts';
import { createConnection, type ConnectionOptions } from './connection.ts';
import { ConnectionEndedError, RefusedError } from './faults.ts';
import type { Block } from './plan.ts';

/** Of what waits for the bus the highest goes first; a unit that is believed dead is tried last. */
export const priority = { command: 2, poll: 1, probe: 0 } as const;

/** What a task on the bus may do. All reject with AppError `transient`: BusDownError, RefusedError, or a silent or confused unit. */
export interface BusLine {
  /** Words of a block, or 0/1 of bits. */
  read(unit: number, block: Place, timeoutMs?: number): Promise<number[]>;
  /** Nothing is sent any more once `signal` has aborted, however long the connection took. */
  write(unit: number, block: Place, words: readonly number[], signal: AbortSignal): Promise<void>;
}
type Place = Pick<Block, 'table' | 'start' | 'length'>;

export interface Bus {
  /** Runs a task when the bus is free. */
  run<T>(rank: number, task: (line: BusLine) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Answers missing in a row, from whichever unit, after which the connection itself is suspected. */
const suspectAfter = 5;

/** A bus that connects at the first request. */
export function createBus(
  options: ConnectionOptions,
  services: Pick<Services, 'logger' | 'trouble' | 'count'>,
): Bus {
  const { name, line, timeoutMs } = options;
  const labels = { bus: name };
  const queue = new PQueue({ concurrency: 1 });
  const isRtu = line.transport !== 'tcp';
  const connection = createConnection(options, services);
  let missing = 0;
  let quietUntil = 0;

  /** One request on the open connection. */
  const exchange = async <T>(
    open: ModbusClient,
    unit: number,
    patienceMs: number,
    send: (open: ModbusClient) => Promise<T>,
  ): Promise<T> => {
    const waitMs = quietUntil - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (isRtu) discardInput(open);
    open.setTimeout(patienceMs);
    services.count('requests_total', labels);
    try {
      const answer = await connection.during(send(open));
      missing = 0;
      connection.answered();
      return answer;
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      const fault = faultOf(thrown);
      services.count('faults_total', { ...labels, kind: fault.kind });
      const message = `unit ${unit} on bus '${name}': ${messageOf(thrown)}`;
      if (fault.kind === 'refused') {
        missing = 0;
        connection.answered();
        throw new RefusedError(message, fault.code, { cause: thrown });
      }
      if (fault.kind === 'closed') {
        connection.drop();
        throw new ConnectionEndedError(`bus '${name}': connection lost`);
      }
      // After a frame that makes no sense nothing later on a TCP stream can be trusted; an RTU line finds its feet in silence.
      if ((fault.kind === 'frame' && !isRtu) || ++missing >= suspectAfter) {
        missing = 0;
        connection.drop();
      } else if (isRtu) quietUntil = performance.now() + patienceMs / 2;
      throw new AppError('transient', message, { cause: thrown });
    } finally {
      if (options.pauseBetweenFramesMs > 0)
        quietUntil = Math.max(quietUntil, performance.now() + options.pauseBetweenFramesMs);
    }
  };
  /** Once more on a new connection when an old one ended instead of an answer: that says nothing about the unit. */
  const request = async <T>(
    unit: number,
    { patienceMs, isRead }: { patienceMs: number; isRead: boolean },
    send: (open: ModbusClient) => Promise<T>,
  ): Promise<T> => {
    const open = await connection.open();
    const isUsed = connection.answers() > 0;
    try {
      return await exchange(open, unit, patienceMs, send);
    } catch (error) {
      // A write may have been executed.
      if (!(error instanceof ConnectionEndedError) || !isUsed || !isRead) throw error;
      return exchange(await connection.open(), unit, patienceMs, send);
    }
  };

  const busLine: BusLine = {
    read: async (unit, block, patienceMs = timeoutMs) => {
      const words = await request(unit, { patienceMs, isRead: true }, (open) => sendRead(open, unit, block));
      if (words.length === block.length) return words;
      throw new AppError(
        'transient',
        `unit ${unit} on bus '${name}': ${words.length} values instead of ${block.length}`,
      );
    },
    write: (unit, block, words, signal) =>
      request(unit, { patienceMs: timeoutMs, isRead: false }, (open) => {
        // The sender has given up, and has been told that nobody knows.
        if (signal.aborted) throw new AppError('transient', 'not executed: the bus was busy for too long');
        return sendWrite(open, unit, block, words);
      }),
  };

  return {
    run: (rank, task) => queue.add(() => task(busLine), { priority: rank }),
    close: async () => {
      connection.close();
      await queue.onIdle();
    },
  };
}
