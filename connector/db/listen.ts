// News from the database by LISTEN/NOTIFY: keeps the devices in memory as they are in the register, whoever changed them.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { forgetDevice, loadDevices, rememberDevices, type Dimensions } from './dimensions.ts';
import type { Db } from './pool.ts';

const retryMs = 1_000;
/** News of one transaction, and of a burst of them, is looked up at once. */
const gatherMs = 50;
/** A connection that is cut without a word is noticed by asking it now and then. */
const checkMs = 15_000;

/** Follows the register until the result is called. Everything is loaded again whenever the connection comes back. */
export function followDevices(
  url: string,
  db: Db,
  dimensions: Dimensions,
  logger: Logger,
): () => Promise<void> {
  const abort = new AbortController();
  const changed = new Set<number>();
  let looking: Promise<void> | undefined;

  async function lookUp(): Promise<void> {
    await sleep(gatherMs);
    const ids = [...changed];
    changed.clear();
    const devices = await loadDevices(db, ids);
    const found = new Set(devices.map(({ id }) => id));
    for (const id of ids) if (!found.has(id)) forgetDevice(dimensions, id);
    rememberDevices(dimensions, devices);
  }

  function onNews(id: number): void {
    changed.add(id);
    looking ??= lookUp()
      // The database is away: the connection that listens will be too, and loads everything when it is back.
      .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'changed devices not loaded'))
      .finally(() => {
        looking = undefined;
        const [more] = changed;
        if (more !== undefined) onNews(more);
      });
  }

  async function session(): Promise<void> {
    const client = new Client({
      connectionString: url,
      application_name: 'smart-dairy-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    const broken = new AbortController();
    client.on('error', () => broken.abort());
    client.on('end', () => broken.abort());
    client.on('notification', ({ payload }) => onNews(Number(payload)));
    const signal = AbortSignal.any([abort.signal, broken.signal]);
    try {
      await client.connect();
      await client.query('LISTEN iot_device');
      rememberDevices(dimensions, await loadDevices(db));
      for (;;) {
        await sleep(checkMs, undefined, { signal });
        await client.query('SELECT 1');
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      await session().catch((error: unknown) => {
        if (!abort.signal.aborted)
          logger.warn({ error: messageOf(error) }, 'not listening for changed devices, will try again');
      });
      await sleep(retryMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return async () => {
    abort.abort();
    await running;
    await looking;
  };
}
