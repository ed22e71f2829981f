// The pool for queries: plans once for all values and finds the partitions anyway; ends what takes too long.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, openQueryPool, type Db } from '../../../connector/db/pool.ts';
import { seriesPage } from '../../../connector/db/query-readings.ts';
import { rowsOf } from '../../../connector/db/query-rows.ts';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { createDatabase, type TestDatabase } from '../../support/stack.ts';

const logger = createLogger('test', process.env['LOG_LEVEL'] ?? 'silent');
const dayMs = 86_400_000;
let database: TestDatabase;
let queryDb: Db;

before(async () => {
  database = await createDatabase();
  const db = openPool(database.url, 1, logger);
  await migrate(db, logger);
  await db.query(`
    SELECT iot.prepare_days(array_agg(d::date)) FROM generate_series(now() - INTERVAL '21 days', now(), INTERVAL '1 day') d;
    INSERT INTO iot.reading SELECT at, 1, 1, 1, 0 FROM generate_series(now() - INTERVAL '20 days', now(), INTERVAL '1 hour') at`);
  await db.end();
  queryDb = openQueryPool(database.url, 1, logger, 500);
});
after(async () => {
  await queryDb.end();
  await database.drop();
});

test('one plan serves all ranges', async () => {
  const page = (days: number) =>
    seriesPage(
      queryDb,
      {
        deviceId: 1,
        metricId: 1,
        level: 'raw',
        start: new Date(Date.now() - days * dayMs),
        end: new Date(),
        cursor: undefined,
        percentiles: false,
      },
      1_000,
    );
  for (const days of [1, 2, 3, 15, 1]) assert.equal((await page(days)).length, days * 24);
  const { rows } = await queryDb.query<{ generic_plans: number; custom_plans: number }>(
    `SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'series-raw'`,
  );
  assert.deepEqual(rows, [{ generic_plans: 5, custom_plans: 0 }]);
});

test('a plan for all values reads only the partitions of these values', async () => {
  await queryDb.query(
    `PREPARE month (timestamptz) AS SELECT count(*) FROM iot.reading WHERE device_id = 1 AND time >= $1`,
  );
  const { rows } = await queryDb.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE month('${new Date(Date.now() - dayMs).toISOString()}')`,
  );
  const text = rows.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(text, /Chunks excluded during startup: (19|20)|Subplans Removed: (19|20)/);
});

test('a query that takes too long is ended', async () => {
  await assert.rejects(rowsOf(queryDb, 'slow', 'SELECT pg_sleep(60)'), /statement timeout/);
});
