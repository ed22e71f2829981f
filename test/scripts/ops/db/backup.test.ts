// Backup and restore on every edition: the copy has the same rows, sums and schema, and takes new readings.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { migrate } from '../../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../../connector/db/pool.ts';
import { backUp, restore } from '../../../../scripts/ops/backup/backup.ts';
import { withClient } from '../../../../scripts/ops/stack/database.ts';
import { stackEnv } from '../../../support/stack.ts';
import { dayMs, logger, onEachEdition, rollUp, write } from '../../../timescale/fixture.ts';

const admin = () => process.env['TEST_DATABASE_URL'] ?? stackEnv()['ADMIN_DATABASE_URL'] ?? '';

onEachEdition('backup and restore', (opened) => {
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-backup-'));
  const file = join(folder, 'all.dump');
  const name = `restored_${randomBytes(4).toString('hex')}`;
  after(async () => {
    rmSync(folder, { recursive: true });
    await withClient(admin(), (query) => query(`drop database if exists ${name} with (force)`));
  });
  const facts = async (db: Db) => {
    const one = async (sql: string) => (await db.query<Record<string, unknown>>(sql)).rows;
    return {
      edition: await one('SELECT iot.edition() AS edition'),
      readings: await one('SELECT count(*) AS n, sum(value) AS sum, max(time) AS last FROM iot.reading'),
      days: await one(
        'SELECT bucket, sum(n) AS n, sum(sum) AS sum FROM iot.reading_1d GROUP BY 1 ORDER BY 1',
      ),
      milkings: await one('SELECT day, farm_code, rfid, yield_kg FROM iot.milk_daily'),
      migrations: await one('SELECT name, digest FROM public.smart_dairy_migration ORDER BY name'),
      storage: await one('SELECT raw_days, rollups FROM iot.storage'),
    };
  };

  test('a restored database holds the same and goes on', async (t) => {
    const { db, database } = opened();
    const now = Date.now();
    const rows = Array.from({ length: 5_000 }, (_, index) => ({
      deviceId: (index % 20) + 1,
      metricId: 1,
      time: now - (index % 5) * dayMs - index,
      value: index / 8,
      quality: 0,
    }));
    await write(db, rows);
    await rollUp(db);
    await db.query(`INSERT INTO iot.farm (code, name) VALUES ('f', 'f')`);
    await db.query(`INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
      VALUES (1, 'm', 'milk_meter', 'm', 'registered')`);
    await db.query(`INSERT INTO iot.milk_session (device_id, farm_id, session_key, wire_id, rfid, started_at, last_at, closed, yield_kg)
      VALUES (1, 1, 'k', 'k', '050000000000001', now(), now(), true, 12.5)`);
    const bytes = await backUp(database.url, file);
    t.diagnostic(`${bytes} bytes`);
    await assert.rejects(backUp(database.url, file), /is there already/);

    await restore(admin(), name, file);
    const copy = openPool(Object.assign(new URL(database.url), { pathname: `/${name}` }).href, 2, logger);
    try {
      assert.deepEqual(await facts(copy), await facts(db));
      await migrate(copy, logger);
      await write(copy, [{ deviceId: 1, metricId: 1, time: now + 1, value: 1, quality: 0 }]);
      const { rows: counted } = await copy.query<{ n: number }>('SELECT count(*) AS n FROM iot.reading');
      assert.equal(counted[0]?.n, rows.length + 1);
    } finally {
      await copy.end();
    }
    await assert.rejects(restore(admin(), name, file), /is there already: restore into another one/);
  });

  test('what is no backup leaves no database behind', async () => {
    const bad = join(folder, 'bad.dump');
    writeFileSync(bad, 'no backup');
    await assert.rejects(restore(admin(), `${name}_bad`, bad), /pg_restore ended with 1/);
    const left = await withClient(admin(), (query) =>
      query('select 1 from pg_database where datname = $1', [`${name}_bad`]),
    );
    assert.equal(left.length, 0);
    const refused = Object.assign(new URL(admin()), { port: '1' }).href;
    await assert.rejects(backUp(refused, join(folder, 'none.dump')), /pg_dump ended with 1/);
    assert.equal(existsSync(join(folder, 'none.dump')), false);
    assert.equal(existsSync(join(folder, 'none.dump.part')), false);
  });
});
