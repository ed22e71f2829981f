// Databases of every edition that the test server offers, and readings to put into them.
import { isBetter } from '../../connector/ingest/verdicts.ts';
import { after, before, describe, test } from 'node:test';
import { migrate } from '../../connector/db/migrate.ts';
import { inTransaction, openPool, type Db } from '../../connector/db/pool.ts';
import { prepareDays, withInsert, type ReadingRow } from '../../connector/db/readings.ts';
import { refreshRollups } from '../../connector/db/storage.ts';
import { createLogger } from '../../contract/runtime/logger.ts';
import { createDatabase, type TestDatabase } from '../support/stack.ts';

export const logger = createLogger('test', process.env['LOG_LEVEL'] ?? 'silent');
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export interface StorageDatabase {
  db: Db;
  edition: string;
  database: TestDatabase;
}

/** Registers `body` once for what the server offers at best, and once for plain PostgreSQL. */
export function onEachEdition(name: string, body: (opened: () => StorageDatabase) => void): void {
  for (const wanted of ['auto', 'plain'] as const) {
    describe(`${name} (${wanted})`, () => {
      let storage: StorageDatabase | undefined;
      const opened = () => {
        if (storage === undefined) throw new Error('the database is not open yet');
        return storage;
      };
      before(async () => {
        const database = await createDatabase({ plain: wanted === 'plain' });
        const first = openPool(database.url, 1, logger);
        const edition = await migrate(first, logger, wanted);
        await first.end();
        // Settings of the database count for new sessions.
        storage = { db: openPool(database.url, 6, logger), database, edition };
      });
      after(async () => {
        await storage?.db.end();
        await storage?.database.drop();
      });
      test('says what it runs on', (t) => {
        const { edition, database } = opened();
        const { PostgreSQL, TimescaleDB } = database.versions;
        t.diagnostic(`edition ${edition}: PostgreSQL ${PostgreSQL}, TimescaleDB ${TimescaleDB}`);
      });
      body(opened);
    });
  }
}

/** Stores rows as the connector's writer does. Returns what was there before, by key. */
export function write(db: Db, rows: readonly ReadingRow[]): Promise<ReadonlyMap<string, unknown>> {
  return withInsert((insert) =>
    inTransaction(db, async (client) => {
      await prepareDays(client, rows, new Set());
      return insert(client, rows, isBetter);
    }),
  );
}

/** Lets the database do all of its rollup work now: marked hours, and what its policies would do in time. */
export async function rollUp(db: Db): Promise<void> {
  await refreshRollups(db, 0);
  await runPolicies(db, 'policy_refresh_continuous_aggregate');
}

/** Runs TimescaleDB's own jobs of one kind; other editions have none. */
export async function runPolicies(db: Db, kind: string): Promise<void> {
  const { rows: known } = await db.query(`SELECT 1 WHERE iot.edition() = 'community'`);
  if (known.length === 0) return;
  const { rows } = await db.query<{ job_id: number }>(
    `SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = $1
     ORDER BY array_position(ARRAY['reading', 'rollup_15min', 'rollup_1h', 'rollup_1d'], hypertable_name::text)`,
    [kind],
  );
  for (const { job_id: id } of rows) await db.query(`CALL run_job(${id})`);
}

/** A small generator of numbers in [0, 1), the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
