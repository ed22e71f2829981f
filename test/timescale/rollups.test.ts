// Rollups against a model that sums the same readings in memory: new, late, repeated, bad and absurd ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from '../../connector/db/pool.ts';
import type { ReadingRow } from '../../connector/db/readings.ts';
import { dayMs, hourMs, onEachEdition, randomOf, rollUp, write } from './fixture.ts';

interface Bucket {
  bucket: Date;
  device_id: number;
  metric_id: number;
  n: number;
  sum: number;
  min: number;
  max: number;
  first: number;
  last: number;
  stddev: number | null;
  avg: number;
}

const widths = { reading_15min: hourMs / 4, reading_1h: hourMs, reading_1d: dayMs };

/** The buckets that good readings make. */
function model(rows: Iterable<ReadingRow>, widthMs: number): Bucket[] {
  const groups = new Map<string, ReadingRow[]>();
  for (const row of rows) {
    if (row.quality !== 0 || Math.abs(row.value) > 1e100) continue;
    const start = Math.floor(row.time / widthMs) * widthMs;
    const key = `${start}|${row.deviceId}|${row.metricId}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups].map(([key, group]) => {
    const [start = 0, deviceId = 0, metricId = 0] = key.split('|').map(Number);
    const values = group.toSorted((a, b) => a.time - b.time).map(({ value }) => value);
    const n = values.length;
    const sum = values.reduce((total, value) => total + value, 0);
    const squares = values.reduce((total, value) => total + (value - sum / n) ** 2, 0);
    return {
      bucket: new Date(start),
      device_id: deviceId,
      metric_id: metricId,
      n,
      sum,
      min: Math.min(...values),
      max: Math.max(...values),
      first: values[0] ?? Number.NaN,
      last: values.at(-1) ?? Number.NaN,
      stddev: n < 2 ? null : Math.sqrt(squares / (n - 1)),
      avg: sum / n,
    };
  });
}

const order = (a: Bucket, b: Bucket) =>
  a.bucket.getTime() - b.bucket.getTime() || a.device_id - b.device_id || a.metric_id - b.metric_id;

/** Equal but for the last digits: sums depend on their order. */
function isNear(actual: number | null, wanted: number | null): boolean {
  if (actual === null || wanted === null) return actual === wanted;
  return Math.abs(actual - wanted) <= 1e-9 * Math.abs(wanted) + 1e-6;
}

async function assertRollups(db: Db, stored: Iterable<ReadingRow>, when: string): Promise<void> {
  const all = [...stored];
  for (const [view, widthMs] of Object.entries(widths)) {
    const { rows } = await db.query<Bucket>(`SELECT * FROM iot.${view}`);
    const actual = rows.toSorted(order);
    const wanted = model(all, widthMs).toSorted(order);
    const exact = (b: Bucket) =>
      JSON.stringify([b.bucket, b.device_id, b.metric_id, b.n, b.min, b.max, b.first, b.last]);
    assert.deepEqual(actual.map(exact), wanted.map(exact), `${view} ${when}`);
    for (const [index, bucket] of actual.entries()) {
      for (const name of ['sum', 'avg', 'stddev'] as const) {
        const expected = wanted[index]?.[name] ?? null;
        assert.ok(
          isNear(bucket[name], expected),
          `${view}.${name} ${when}: ${bucket[name]}, not ${expected}`,
        );
      }
    }
  }
}

onEachEdition('rollups', (opened) => {
  const stored = new Map<string, ReadingRow>();
  const random = randomOf(7);
  /** Some rows of a few devices in the hours before `ageHours` ago. Metric 2 is a counter: big numbers, small steps. */
  const some = (count: number, ageHours: number, spanHours: number): ReadingRow[] => {
    const until = Date.now() - ageHours * hourMs;
    const rows = Array.from({ length: count }, () => {
      const metricId = 1 + Math.floor(random() * 2);
      return {
        deviceId: 1 + Math.floor(random() * 3),
        metricId,
        time: Math.floor(until - random() * spanHours * hourMs),
        value: metricId === 2 ? 1e8 + random() : 38 + random(),
        quality: random() < 0.1 ? 3 : 0,
      };
    });
    return [...new Map(rows.map((row) => [`${row.deviceId}|${row.metricId}|${row.time}`, row])).values()];
  };
  const put = async (rows: readonly ReadingRow[]) => {
    const duplicates = await write(opened().db, rows);
    for (const row of rows) {
      const key = `${row.deviceId}|${row.metricId}|${row.time}`;
      assert.equal(duplicates.has(key), stored.has(key));
      if (!stored.has(key)) stored.set(key, row);
    }
  };

  test('new readings count at once, without a refresh', async () => {
    await put(some(200, 0, 0.15));
    await assertRollups(opened().db, stored.values(), 'before any refresh');
    await rollUp(opened().db);
    await assertRollups(opened().db, stored.values(), 'after a refresh');
  });

  test('late readings, also days late, count after a refresh', async () => {
    for (const [count, ageHours, spanHours] of [
      [300, 0, 4],
      [300, 20, 12],
      [50, 70, 3],
      [200, 2, 30],
    ] as const) {
      await put(some(count, ageHours, spanHours));
      await rollUp(opened().db);
      await assertRollups(opened().db, stored.values(), `after rows ${ageHours} h late`);
    }
  });

  test('duplicates count once and mark nothing', async () => {
    const { db } = opened();
    await put([...stored.values()].filter((_, index) => index % 3 === 0));
    const { rows } = await db.query<{ n: number }>('SELECT count(*) AS n FROM iot.rollup_dirty');
    assert.equal(rows[0]?.n, 0);
    await put([...[...stored.values()].slice(0, 50), ...some(50, 30, 5)]);
    await rollUp(db);
    await assertRollups(db, stored.values(), 'after duplicates');
  });

  test('an absurd value stops nobody', async () => {
    const { db } = opened();
    const time = Date.now() - 5 * hourMs;
    await put([
      { deviceId: 9, metricId: 1, time, value: 1e300, quality: 0 },
      { deviceId: 9, metricId: 1, time: time + 1, value: -1e300, quality: 0 },
      { deviceId: 9, metricId: 1, time: time + 2, value: 5, quality: 0 },
    ]);
    await rollUp(db);
    await assertRollups(db, stored.values(), 'after absurd values');
  });

  test('an hour waits while late readings keep coming', async () => {
    const { db } = opened();
    const dirty = async () =>
      (await db.query<{ n: number }>('SELECT count(*) AS n FROM iot.rollup_dirty')).rows[0]?.n;
    await put(some(5, 30, 0.1));
    await db.query('CALL iot.refresh_rollups()');
    assert.notEqual(await dirty(), 0);
    await db.query(`UPDATE iot.rollup_dirty SET marked_at = marked_at - INTERVAL '2 minutes'`);
    await db.query('CALL iot.refresh_rollups()');
    assert.equal(await dirty(), 0);
    await assertRollups(db, stored.values(), 'once it was quiet');
  });

  test('a mark that is not committed yet holds up neither writers nor the refresh, and is not lost', async () => {
    const { db } = opened();
    const late = some(5, 50, 0.1);
    const slow = await db.connect();
    try {
      await slow.query('BEGIN');
      await slow.query('SELECT iot.mark_late($1)', [[new Date(late[0]?.time ?? 0).toISOString()]]);
      await put(late);
      await rollUp(db);
      await assertRollups(db, stored.values(), 'beside an open transaction');
      await slow.query('COMMIT');
    } finally {
      slow.release();
    }
    const { rows } = await db.query<{ n: number }>('SELECT count(*) AS n FROM iot.rollup_dirty');
    assert.equal(rows[0]?.n, 1);
  });

  test('catches up after days without a connector', async (t) => {
    const { db, edition } = opened();
    if (edition === 'community') {
      t.skip('continuous aggregates do not depend on the connector');
      return;
    }
    await db.query(
      `UPDATE iot.storage SET rolled_until = iot.bucket_of('15 minutes', now() - INTERVAL '4 days')`,
    );
    await db.query('TRUNCATE iot.rollup_15min, iot.rollup_1h, iot.rollup_1d');
    await assertRollups(db, stored.values(), 'with everything live');
    await Promise.all([rollUp(db), rollUp(db)]);
    await assertRollups(db, stored.values(), 'after catching up');
  });
});
