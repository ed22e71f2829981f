// The way to the database: pools of connections, and the wait until it answers and has this version's schema.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../contract/backoff.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import type { ConnectorConfig } from '../config/load.ts';
import { setArchiving } from '../db/archive.ts';
import { migrate } from '../db/migrate.ts';
import { openPool, openQueryPool, toDatabaseError, type Db } from '../db/pool.ts';
import { setStorage, setTimezone } from '../db/storage.ts';
import { dayZone, storageSettings } from './settings.ts';
import type { ConnectorState } from './state.ts';

/** The pools. */
export interface Pools {
  /** For data on its way in and out. */
  db: Db;
  /** For queries of people: however slow they are, data finds its way in. */
  queryDb: Db;
}

/** Opens both; nothing connects yet. */
export function openPools(
  { url, pool_size, query_pool_size, query_timeout_seconds }: ConnectorConfig['database'],
  shutdown: Shutdown,
  logger: Logger,
): Pools {
  const db = openPool(url, pool_size, logger);
  shutdown.onRelease('database', () => db.end());
  const queryDb = openQueryPool(url, query_pool_size, logger, query_timeout_seconds * 1_000);
  shutdown.onRelease('query database', () => queryDb.end());
  return { db, queryDb };
}

/** Waits for the database as long as it takes, and brings it to this version's schema. */
export async function prepareDatabase(
  { db, config, state }: Pools & { config: ConnectorConfig; state: ConnectorState },
  shutdown: Shutdown,
  logger: Logger,
): Promise<void> {
  const abort = new AbortController();
  shutdown.onRelease('database start', () => abort.abort());
  for (let failures = 0; ; failures++) {
    try {
      const edition = await migrate(db, logger, config.database.edition);
      await setStorage(db, storageSettings(config));
      await setTimezone(db, dayZone(config));
      await setArchiving(db, config.storage.archive_folder !== '');
      state.database = { ok: true, detail: edition };
      logger.info({ edition }, 'database ready');
      return;
    } catch (thrown) {
      const error = toDatabaseError(thrown);
      if (error.kind === 'bug' || error.kind === 'invalid' || abort.signal.aborted) throw error;
      state.database = { ok: false, detail: error.message };
      if (failures === 0)
        logger.warn({ error: error.message }, 'waiting for the database; is DATABASE_URL right?');
      await sleep(backoffMs(failures + 1, { baseMs: 250, capMs: 5_000 }));
    }
  }
}
