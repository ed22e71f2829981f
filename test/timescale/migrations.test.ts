// Migrations: once, forward only, by one process at a time; and an edition that changes under a database.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { migrate } from '../../connector/db/migrate.ts';
import { openPool } from '../../connector/db/pool.ts';
import { setStorage } from '../../connector/db/storage.ts';
import { createDatabase, stackEnv, type TestDatabase } from '../support/stack.ts';
import { dayMs, logger, onEachEdition, rollUp, write } from './fixture.ts';

onEachEdition('migrations', (opened) => {
  const applied = async () => {
    const { rows } = await opened().db.query<Record<string, unknown>>(
      'SELECT name, digest, applied_at FROM public.smart_dairy_migration ORDER BY name',
    );
    return rows;
  };

  test('a second run changes nothing', async () => {
    const { db, edition } = opened();
    const before = await applied();
    assert.equal(await migrate(db, logger, edition === 'plain' ? 'plain' : 'auto'), edition);
    assert.deepEqual(await applied(), before);
  });

  test('a file that was changed after it ran is refused, and nothing runs', async () => {
    const { db } = opened();
    await db.query(`UPDATE public.smart_dairy_migration SET digest = 'other' WHERE name = '010_reading.sql'`);
    const before = await applied();
    await assert.rejects(migrate(db, logger, 'plain'), {
      kind: 'invalid',
      message: /010_reading\.sql was changed/,
    });
    assert.deepEqual(await applied(), before);
  });
});

let database: TestDatabase | undefined;
after(() => database?.drop());

test('two connectors that start on an empty database both come up', async (t) => {
  const fresh = await createDatabase();
  const pools = [1, 2].map(() => openPool(fresh.url, 2, logger));
  try {
    const editions = await Promise.all(pools.map((db) => migrate(db, logger)));
    assert.equal(editions[0], editions[1]);
    t.diagnostic(`edition ${editions[0] ?? ''}`);
  } finally {
    for (const db of pools) await db.end();
    await fresh.drop();
  }
});

test('a database that began as plain PostgreSQL goes on when it gets TimescaleDB', async (t) => {
  database = await createDatabase({ plain: true });
  const admin = process.env['TEST_DATABASE_URL'] ?? stackEnv()['ADMIN_DATABASE_URL'] ?? '';
  const { pathname } = new URL(database.url);
  const before = openPool(database.url, 2, logger);
  await migrate(before, logger, 'plain');
  await before.end();
  const root = openPool(Object.assign(new URL(admin), { pathname }).href, 1, logger);
  const { rows } = await root.query(`SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'`);
  if (rows.length > 0) await root.query('CREATE EXTENSION timescaledb');
  await root.end();
  if (rows.length === 0) {
    t.skip('this server has no TimescaleDB');
    return;
  }
  const db = openPool(database.url, 2, logger);
  try {
    t.diagnostic(`plain, then ${await migrate(db, logger)}`);
    await write(db, [{ deviceId: 1, metricId: 1, time: Date.now() - 3 * dayMs, value: 1, quality: 0 }]);
    await setStorage(db, { rawDays: 30, fifteenMinuteDays: 60, hourlyDays: 90, compressAfterDays: 7 });
    await rollUp(db);
    const days = await db.query<{ n: number }>('SELECT sum(n)::integer AS n FROM iot.reading_1d');
    assert.equal(days.rows[0]?.n, 1);
  } finally {
    await db.end();
  }
});
