// How long backends of a database wait for locks of others, looked at all the time from outside.
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../../../ops/stack/database.ts';
import type { BenchContext } from './bench.ts';

const everyMs = 50;

/** A watch that runs. */
export interface LockWatch {
  /** Ends it. The longest wait that was seen, in milliseconds: 0 when nobody waited at any look. */
  stop: () => Promise<number>;
}

/** Watches a database. PostgreSQL knows since when a lock is waited for; a wait shorter than a look's distance may be missed. */
export async function watchLockWaits({ env }: BenchContext, database: string): Promise<LockWatch> {
  let longestMs = 0;
  let stopped = false;
  const listening = Promise.withResolvers<undefined>();
  const running = withClient(env['ADMIN_DATABASE_URL'] ?? '', async (query) => {
    while (!stopped) {
      const [row] = await query(
        `SELECT 1000 * extract(epoch FROM max(clock_timestamp() - l.waitstart)) AS ms
         FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = $1 AND NOT l.granted`,
        [database],
      );
      longestMs = Math.max(longestMs, Number(row?.['ms'] ?? 0));
      listening.resolve(undefined);
      await sleep(everyMs);
    }
  });
  await Promise.race([listening.promise, running]);
  return {
    async stop() {
      stopped = true;
      await running;
      return longestMs;
    },
  };
}
