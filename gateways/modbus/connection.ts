// The connection of a bus: made when it is needed, and again; knows a server that closes after each answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../contract/backoff.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Services } from '../shared/protocol.ts';
import { closeClient, onEnded, openClient, type ModbusClient } from './client.ts';
import { BusDownError, ConnectionEndedError } from './faults.ts';
import type { BusSettings } from './settings.ts';

export interface Connection {
  /** Connects when there is no connection. Rejects with BusDownError. */
  open(): Promise<ModbusClient>;
  /** Waits for `work` on the connection; rejects with BusDownError as soon as the connection ends. */
  during<T>(work: Promise<T>): Promise<T>;
  /** An answer has come. */
  answered(): void;
  /** Answers that have come on this connection. */
  answers(): number;
  drop(): void;
  /** For good. */
  close(): void;
}

export type ConnectionOptions = Omit<BusSettings, 'devices'> & { devices: { length: number } };

/** Connections in a row that ended after one answer, after which the next ones are used for one request only. */
const learnedAfter = 2;
/** A connection that still stands so long after its answer is one that stays. */
const staysAfterMs = 1000;

/** Nothing is opened yet. */
export function createConnection(
  options: ConnectionOptions,
  services: Pick<Services, 'logger' | 'trouble' | 'count'>,
): Connection {
  const { name, line } = options;
  const { logger } = services;
  const place = line.transport === 'rtu' ? line.path : `${line.host}:${line.port}`;
  let client: ModbusClient | undefined;
  let failures = 0;
  let retryAt = 0;
  let answers = 0;
  let answeredAt = 0;
  /** Connections in a row that the other side ended after exactly one answer. */
  let shortLived = 0;
  let isClosed = false;
  let cancel: ((reason: BusDownError) => void) | undefined;

  const drop = (reason = new BusDownError(`bus '${name}': connection ended`)) => {
    if (client !== undefined) closeClient(client, line);
    client = undefined;
    // The library forgets what was under way: neither answer nor timeout would ever come.
    cancel?.(reason);
    cancel = undefined;
  };
  const ended = () => {
    if (answers !== 1) shortLived = 0;
    else if (++shortLived === learnedAfter)
      logger.info(
        { bus: name },
        'the bus ends its connections after each answer: one is made for each request',
      );
    if (shortLived < learnedAfter) logger.warn({ bus: name }, 'bus connection lost');
    drop(new ConnectionEndedError(`bus '${name}': the other side ended the connection`));
  };
  const connect = async (): Promise<ModbusClient> => {
    const fresh = await openClient(line);
    client = fresh;
    answers = 0;
    onEnded(fresh, () => {
      if (client === fresh) ended();
    });
    await sleep(options.pauseAfterConnectMs);
    services.count('bus_connects_total', { bus: name });
    failures = 0;
    services.trouble(`bus/${name}`, undefined);
    if (shortLived < learnedAfter) logger.info({ bus: name, place }, 'bus connected');
    return fresh;
  };

  return {
    open: async () => {
      if (isClosed) throw new BusDownError(`bus '${name}' is closed`);
      if (client?.isOpen === true && shortLived >= learnedAfter && answers > 0) {
        if (performance.now() - answeredAt > staysAfterMs) shortLived = 0;
        else drop();
      }
      if (client?.isOpen === true) return client;
      if (client !== undefined) ended();
      if (performance.now() < retryAt) throw new BusDownError(`bus '${name}' is not connected`);
      try {
        return await connect();
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
    },
    during: async (work) => {
      const cancelled = new Promise<never>((_resolve, reject) => (cancel = reject));
      try {
        return await Promise.race([work, cancelled]);
      } finally {
        cancel = undefined;
      }
    },
    answered: () => {
      answers++;
      answeredAt = performance.now();
    },
    answers: () => answers,
    drop: () => drop(),
    close: () => {
      isClosed = true;
      drop();
    },
  };
}
