// Storing readings on every edition: COPY, its fallback for duplicates, partitions made by two at once, compressed chunks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTransaction } from '../../connector/db/pool.ts';
import { prepareDays, type ReadingRow } from '../../connector/db/readings.ts';
import { prepareAhead } from '../../connector/db/storage.ts';
import { dayMs, onEachEdition, randomOf, runPolicies, write } from './fixture.ts';

const reading = (time: number, deviceId = 1, value = 1): ReadingRow => ({
  deviceId,
  metricId: 1,
  time,
  value,
  quality: 0,
});

onEachEdition('readings', (opened) => {
  const count = async (condition = 'true') => {
    const { rows } = await opened().db.query<{ n: number }>(
      `SELECT count(*) AS n FROM iot.reading WHERE ${condition}`,
    );
    return rows[0]?.n;
  };

  test('a batch with some rows known and some new stores the new ones and names the known ones', async () => {
    const { db } = opened();
    const start = Date.now() - dayMs;
    const batch = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => reading(start + (from + index) * 1_000));
    assert.equal((await write(db, batch(0, 500))).size, 0);
    const duplicates = await write(db, batch(400, 900));
    assert.deepEqual(
      [...duplicates.keys()].toSorted(),
      batch(400, 500)
        .map(({ time }) => `1|1|${time}`)
        .toSorted(),
    );
    assert.equal((await write(db, batch(0, 900))).size, 900);
    assert.equal(await count(), 900);
  });

  test('of two values of one moment the larger stays, whichever came first', async () => {
    const { db } = opened();
    const time = Date.now();
    for (const values of [
      [5, 6, 5],
      [6, 5, 6],
    ]) {
      const metric = values[0] ?? 0;
      for (const value of values) await write(db, [{ ...reading(time, 2, value), metricId: metric }]);
      assert.equal(await count(`device_id = 2 AND metric_id = ${metric} AND value = 6`), 1);
      const before = await write(db, [{ ...reading(time, 2, 1), metricId: metric }]);
      assert.deepEqual([...before.values()], [{ value: 6, quality: 0 }]);
    }
    assert.equal(await count('device_id = 2'), 2);
  });

  test('writers that meet at new days all get through, in any order', async () => {
    const { db } = opened();
    const random = randomOf(3);
    const today = Math.floor(Date.now() / dayMs) * dayMs;
    const batches = Array.from({ length: 6 }, (_, writer) =>
      Array.from({ length: 12 }, (_day, index) => reading(today - (5 + index) * dayMs + writer, 3))
        .map((row) => ({ row, at: random() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ row }) => row),
    );
    await Promise.all(batches.map((rows) => write(db, rows)));
    assert.equal(await count('device_id = 3'), 72);
  });

  test('a new day waits for no writer and no reader of other days', async () => {
    const { db } = opened();
    const busy = await db.connect();
    try {
      await busy.query('BEGIN');
      await busy.query('SELECT count(*) FROM iot.reading');
      const later = [reading(Date.now() + 5 * dayMs)];
      await inTransaction(db, async (client) => {
        await client.query(`SET LOCAL lock_timeout = '5s'`);
        await prepareDays(client, later, new Set());
      });
      await busy.query('COMMIT');
    } finally {
      busy.release();
    }
  });

  test('partitions for the next days are there beforehand', async (t) => {
    const { db, edition } = opened();
    await prepareAhead(db);
    await prepareAhead(db);
    if (edition !== 'plain') {
      t.diagnostic('chunks need no preparation');
      return;
    }
    const { rows } = await db.query<{ missing: number }>(`
      SELECT count(*) FILTER (WHERE to_regclass('iot.reading_' || to_char(day, 'YYYYMMDD')) IS NULL) AS missing
      FROM generate_series((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 2, INTERVAL '1 day') AS day`);
    assert.equal(rows[0]?.missing, 0);
  });

  test('a partition has the unique key', async () => {
    const { db } = opened();
    const insert = `INSERT INTO iot.reading (time, device_id, metric_id, value) VALUES (date_trunc('day', now()), 4, 1, 1)`;
    await db.query(insert);
    await assert.rejects(db.query(insert), { code: '23505' });
  });

  test('iot.sensor_data shows the names of the documents', async () => {
    const { db } = opened();
    await db.query(`
      INSERT INTO iot.farm (code, name) VALUES ('farm1', 'Farm');
      INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
        SELECT id, 'meter_001', 'milk_meter', 'Meter', 'registered' FROM iot.farm;
      INSERT INTO iot.metric (name, unit, kind, description) VALUES ('milk_yield', 'kg', 'gauge', 'Milk')`);
    const time = new Date(Math.floor(Date.now() / 1_000) * 1_000);
    await db.query(
      `INSERT INTO iot.reading SELECT $1, d.id, m.id, 12.5, 0 FROM iot.device d, iot.metric m ON CONFLICT DO NOTHING`,
      [time],
    );
    const { rows } = await db.query(
      `SELECT * FROM iot.sensor_data WHERE device_uid = 'meter_001' AND time = $1`,
      [time],
    );
    assert.deepEqual(rows, [
      {
        time,
        farm_code: 'farm1',
        device_uid: 'meter_001',
        device_type: 'milk_meter',
        metric: 'milk_yield',
        value: 12.5,
        unit: 'kg',
        quality: 0,
      },
    ]);
  });

  test('a repetition that arrives after compression is still a harmless duplicate', async (t) => {
    const { db, edition } = opened();
    if (edition !== 'community') {
      t.skip('no columnstore on this edition');
      return;
    }
    const start = Math.floor(Date.now() / dayMs) * dayMs - 10 * dayMs + 1_000;
    const rows = Array.from({ length: 3_000 }, (_, index) =>
      reading(start + index * 10_000, 5 + (index % 2)),
    );
    await write(db, rows);
    await runPolicies(db, 'policy_compression');
    const compressed = await db.query<{ compressed: number; young: number }>(
      `SELECT sum(compressed) AS compressed FROM iot.storage_status() WHERE relation = 'reading'`,
    );
    assert.ok(Number(compressed.rows[0]?.compressed) > 0);
    const { rows: wrong } = await db.query(
      `SELECT 1 FROM timescaledb_information.chunks WHERE hypertable_name = 'reading' AND is_compressed
       AND range_end > now() - INTERVAL '7 days'`,
    );
    assert.equal(wrong.length, 0);
    const late = rows.slice(0, 100).map((row) => ({ ...row, time: row.time + 1 }));
    assert.equal((await write(db, [...rows.slice(0, 1_000), ...late])).size, 1_000);
    assert.equal(await count('device_id IN (5, 6)'), 3_100);
    await runPolicies(db, 'policy_compression');
    assert.equal((await write(db, rows)).size, 3_000);
    assert.equal(await count('device_id IN (5, 6)'), 3_100);
  });

  test('a batch that touches very many compressed series is stored like any other', async (t) => {
    const { db, edition } = opened();
    if (edition !== 'community') {
      t.skip('no columnstore on this edition');
      return;
    }
    // More rows than TimescaleDB decompresses in one transaction by default (100,000).
    const devices = 250;
    const start = Math.floor(Date.now() / dayMs) * dayMs - 12 * dayMs;
    await inTransaction(db, (client) =>
      client.query(
        `INSERT INTO iot.reading SELECT $1::timestamptz + step * INTERVAL '1 minute', 1000 + device, 1, 1, 0
         FROM generate_series(1, 900) AS step, generate_series(1, ${devices}) AS device`,
        [new Date(start)],
      ),
    );
    await runPolicies(db, 'policy_compression');
    const old = Array.from({ length: devices }, (_, index) => reading(start + 300 * 60_000, 1001 + index));
    const late = old.map((row) => ({ ...row, time: row.time + 500 }));
    assert.equal((await write(db, [...old, ...late])).size, devices);
    assert.equal((await write(db, late)).size, devices);
    assert.equal(await count('device_id > 1000'), devices * 901);
  });
});
