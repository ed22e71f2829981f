// Percentiles by hour and day against a model: new, late and bad readings, and only what changed is worked out again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyRetention, refreshPercentiles, setStorage } from '../../connector/db/storage.ts';
import type { ReadingRow } from '../../connector/db/readings.ts';
import { dayMs, hourMs, onEachEdition, randomOf, rollUp, runPolicies, write } from './fixture.ts';

interface Row {
  bucket: Date;
  device_id: number;
  n: number;
  p05: number;
  median: number;
  p95: number;
  /** Where the row lies: another place means that it was written again. */
  place: string;
}

/** Between the two nearest values, as percentile_cont has it. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

onEachEdition('percentiles', (opened) => {
  const random = randomOf(11);
  const today = Math.floor(Date.now() / dayMs) * dayMs;
  const stored = new Map<string, ReadingRow>();
  /** A value every five minutes or so of two devices, `days` days from `age` days ago on. One of ten is not good. */
  const some = (count: number, age: number, days: number, deviceIds: readonly number[]): ReadingRow[] =>
    Array.from({ length: count }, () => ({
      deviceId: deviceIds[Math.floor(random() * deviceIds.length)] ?? 1,
      metricId: 1,
      time: Math.floor(today - age * dayMs + random() * days * dayMs),
      value: Math.floor(random() * 1_000) / 10,
      quality: random() < 0.1 ? 1 : 0,
    }));
  const put = async (rows: readonly ReadingRow[]) => {
    const fresh = new Map(rows.map((row) => [`${row.deviceId}|${row.time}`, row]));
    for (const key of stored.keys()) fresh.delete(key);
    await write(opened().db, [...fresh.values()]);
    for (const [key, row] of fresh) stored.set(key, row);
  };
  const read = async (relation: string): Promise<Row[]> => {
    const { rows } = await opened().db.query<Row>(
      `SELECT bucket, device_id, n, p05, median, p95, tableoid::text || ctid::text AS place FROM iot.${relation}
       ORDER BY device_id, bucket`,
    );
    return rows;
  };
  const assertRight = async (relation: string, widthMs: number, when: string) => {
    const groups = new Map<string, number[]>();
    for (const { deviceId, time, value, quality } of stored.values()) {
      if (quality !== 0) continue;
      const key = `${deviceId}|${Math.floor(time / widthMs) * widthMs}`;
      groups.set(key, [...(groups.get(key) ?? []), value]);
    }
    const rows = await read(relation);
    assert.equal(rows.length, groups.size, `${relation} ${when}`);
    for (const row of rows) {
      const values = (groups.get(`${row.device_id}|${row.bucket.getTime()}`) ?? []).toSorted((a, b) => a - b);
      assert.equal(row.n, values.length);
      for (const [name, share] of [
        ['p05', 0.05],
        ['median', 0.5],
        ['p95', 0.95],
      ] as const) {
        const wanted = percentile(values, share);
        assert.ok(
          Math.abs(row[name] - wanted) < 1e-9,
          `${relation}.${name} of ${row.bucket.toISOString()} ${when}: ${row[name]}, not ${wanted}`,
        );
      }
    }
  };

  test('whole hours and days have them', async () => {
    await put(some(3_000, 4, 4, [1, 2]));
    await rollUp(opened().db);
    await refreshPercentiles(opened().db);
    await assertRight('percentile_1h', hourMs, 'at first');
    await assertRight('percentile_1d', dayMs, 'at first');
  });

  test('late readings change those of their device, and no others are written again', async () => {
    const before = await read('percentile_1d');
    await put(some(5, 3, 0.2, [2]));
    await rollUp(opened().db);
    await refreshPercentiles(opened().db, 4);
    await assertRight('percentile_1h', hourMs, 'after late readings');
    await assertRight('percentile_1d', dayMs, 'after late readings');
    const after = await read('percentile_1d');
    const moved = after.filter(({ place }, index) => place !== before[index]?.place);
    assert.deepEqual(
      moved.map(({ device_id: id, bucket }) => [id, bucket.getTime()]),
      [[2, today - 3 * dayMs]],
    );
  });

  test('days outside of the window wait for the run over all days', async () => {
    await put(some(500, 6, 1, [1]));
    await rollUp(opened().db);
    await refreshPercentiles(opened().db, 1);
    assert.ok((await read('percentile_1d')).every(({ bucket }) => bucket.getTime() >= today - 4 * dayMs));
    await refreshPercentiles(opened().db);
    await assertRight('percentile_1d', dayMs, 'after the run over all days');
  });

  test('those of hours go with the hours, those of days stay', async () => {
    const { db } = opened();
    await put(some(50, 70, 1, [1]));
    await rollUp(db);
    await refreshPercentiles(db);
    const hasOld = async (relation: string) =>
      (await read(relation)).some(({ bucket }) => bucket.getTime() < today - 60 * dayMs);
    assert.ok((await hasOld('percentile_1h')) && (await hasOld('percentile_1d')));
    await setStorage(db, { rawDays: 7, fifteenMinuteDays: 14, hourlyDays: 21, compressAfterDays: 2 });
    await runPolicies(db, 'policy_retention');
    await applyRetention(db);
    await refreshPercentiles(db);
    assert.deepEqual([await hasOld('percentile_1h'), await hasOld('percentile_1d')], [false, true]);
  });
});
