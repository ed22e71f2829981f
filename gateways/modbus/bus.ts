// One physical Modbus bus: one connection, one request at a time, commands before polls; reconnects by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Services } from '../shared/protocol.ts';
import { backoffMs } from '../../contract/backoff.ts';
import {
  closeClient,
  discardInput,
  faultOf,
  openClient,
  sendRead,
  sendWrite,
  type ModbusClient,
} from './client.ts';
import type { Block } from './plan.ts';
import type { BusSettings } from './settings.ts';

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

/** The connection is down, not the unit: other units are silent for the same reason. */
export class BusDownError extends AppError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('transient', message, options);
    this.name = 'BusDownError';
  }
}

/** The unit answered with a Modbus exception: 1 function, 2 address, 3 value not supported, 4 failure, 6 busy … */
export class RefusedError extends AppError {
  readonly code: number;
  constructor(message: string, code: number, options?: { cause?: unknown }) {
    super('transient', message, options);
    this.name = 'RefusedError';
    this.code = code;
  }
}

/** Answers missing in a row, from whichever unit, after which the connection itself is suspected. */
const suspectAfter = 5;

type Options = Omit<BusSettings, 'devices'> & { devices: { length: number } };

/** A bus that connects at the first request. */
export function createBus(options: Options, services: Pick<Services, 'logger' | 'trouble' | 'count'>): Bus {
  const { name, line, timeoutMs } = options;
  const { logger } = services;
  const labels = { bus: name };
  const queue = new PQueue({ concurrency: 1 });
  const isRtu = line.transport !== 'tcp';
  const place = line.transport === 'rtu' ? line.path : `${line.host}:${line.port}`;
  let client: ModbusClient | undefined;
  let failures = 0;
  let retryAt = 0;
  let missing = 0;
  let quietUntil = 0;
  let isClosed = false;
  let cancel: ((reason: BusDownError) => void) | undefined;

  const disconnect = () => {
    if (client !== undefined) closeClient(client, line);
    client = undefined;
    missing = 0;
    // The library forgets what was under way: neither answer nor timeout would ever come.
    cancel?.(new BusDownError(`bus '${name}': connection ended`));
    cancel = undefined;
  };

  const connected = async (): Promise<ModbusClient> => {
    if (isClosed) throw new BusDownError(`bus '${name}' is closed`);
    if (client?.isOpen === true) return client;
    if (client !== undefined) {
      disconnect();
      logger.warn({ bus: name }, 'bus connection lost');
    }
    if (performance.now() < retryAt) throw new BusDownError(`bus '${name}' is not connected`);
    try {
      const fresh = await openClient(line);
      client = fresh;
      await sleep(options.pauseAfterConnectMs);
      services.count('bus_connects_total', labels);
      failures = 0;
      services.trouble(`bus/${name}`, undefined);
      logger.info({ bus: name, place }, 'bus connected');
      return fresh;
    } catch (thrown) {
      retryAt = performance.now() + backoffMs(++failures, { baseMs: 500, capMs: options.retryMaxMs });
      if (failures === 1)
        logger.warn({ bus: name, error: messageOf(thrown) }, 'bus not reachable, trying on');
      services.trouble(
        `bus/${name}`,
        `bus '${name}' is not reachable, and ${options.devices.length} devices with it`,
      );
      throw new BusDownError(`bus '${name}' at ${place}: ${messageOf(thrown)}`, { cause: thrown });
    }
  };

  const request = async <T>(
    unit: number,
    patienceMs: number,
    send: (open: ModbusClient) => Promise<T>,
  ): Promise<T> => {
    const open = await connected();
    const waitMs = quietUntil - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (isRtu) discardInput(open);
    open.setTimeout(patienceMs);
    services.count('requests_total', labels);
    try {
      const cancelled = new Promise<never>((_resolve, reject) => (cancel = reject));
      const answer = await Promise.race([send(open), cancelled]);
      missing = 0;
      return answer;
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      const fault = faultOf(thrown);
      services.count('faults_total', { ...labels, kind: fault.kind });
      const message = `unit ${unit} on bus '${name}': ${messageOf(thrown)}`;
      if (fault.kind === 'refused') {
        missing = 0;
        throw new RefusedError(message, fault.code, { cause: thrown });
      }
      // After a frame that makes no sense nothing later on a TCP stream can be trusted; an RTU line finds its feet in silence.
      if ((fault.kind === 'frame' && !isRtu) || ++missing >= suspectAfter) disconnect();
      else if (isRtu) quietUntil = performance.now() + patienceMs / 2;
      if (fault.kind === 'closed')
        throw new BusDownError(`bus '${name}': connection lost`, { cause: thrown });
      throw new AppError('transient', message, { cause: thrown });
    } finally {
      cancel = undefined;
      if (options.pauseBetweenFramesMs > 0)
        quietUntil = Math.max(quietUntil, performance.now() + options.pauseBetweenFramesMs);
    }
  };

  const busLine: BusLine = {
    read: async (unit, block, patienceMs = timeoutMs) => {
      const words = await request(unit, patienceMs, (open) => sendRead(open, unit, block));
      if (words.length === block.length) return words;
      throw new AppError(
        'transient',
        `unit ${unit} on bus '${name}': ${words.length} values instead of ${block.length}`,
      );
    },
    write: (unit, block, words, signal) =>
      request(unit, timeoutMs, (open) => {
        // The sender has given up, and has been told that nobody knows.
        if (signal.aborted) throw new AppError('transient', 'not executed: the bus was busy for too long');
        return sendWrite(open, unit, block, words);
      }),
  };

  return {
    run: (rank, task) => queue.add(() => task(busLine), { priority: rank }),
    close: async () => {
      isClosed = true;
      disconnect();
      await queue.onIdle();
    },
  };
}
