// News from the database by LISTEN/NOTIFY, on one connection for all that wants to know.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Notification } from 'pg';
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

/** One channel and who wants its news. */
export interface NewsChannel {
  /** Name of the channel, as in pg_notify. */
  channel: string;
  /** The connection is there, or there again: load everything, news may have been missed. */
  onListening(): Promise<void> | void;
  onNews(payload: string): void;
  /** Resolves when nothing that the news started still runs. */
  settled?: () => Promise<void>;
}

const retryMs = 1_000;
/** A connection that is cut without a word is noticed by asking it now and then. */
const checkMs = 15_000;

/** Follows the channels until the result is called. */
export function followNews(
  url: string,
  channels: readonly NewsChannel[],
  logger: Logger,
): () => Promise<void> {
  const abort = new AbortController();
  const byName = new Map(channels.map((channel) => [channel.channel, channel]));

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
    const onNotification = ({ channel, payload }: Notification) => byName.get(channel)?.onNews(payload ?? '');
    client.on('notification', bounded(logger, 'news of the database', onNotification));
    const signal = AbortSignal.any([abort.signal, broken.signal]);
    try {
      await client.connect();
      for (const name of byName.keys()) await client.query(`LISTEN ${client.escapeIdentifier(name)}`);
      for (const channel of channels) await channel.onListening();
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
          logger.warn({ error: messageOf(error) }, 'not listening for news of the database, will try again');
      });
      await sleep(retryMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return async () => {
    abort.abort();
    await running;
    for (const channel of channels) await channel.settled?.();
  };
}
