// Retention: what is past its time goes, by chunk or partition, and nothing else does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyRetention,
  readStorageStatus,
  refreshPercentiles,
  setStorage,
} from '../../connector/db/storage.ts';
import { dayMs, onEachEdition, rollUp, runPolicies, write } from './fixture.ts';

const short = { rawDays: 7, fifteenMinuteDays: 14, hourlyDays: 21, compressAfterDays: 2 };
/** Whole days ago of the readings. */
const ages = [85, 40, 25, 17, 10, 6, 3, 0.1];
/** Chunks and partitions of rollups are this long at most: data may live so much longer. */
const rollupPartDays = 31;

onEachEdition('retention', (opened) => {
  const now = Date.now();
  const timeOf = (age: number) => now - age * dayMs;
  /** Ages of what a relation holds, rounded as in `ages`. */
  const agesIn = async (relation: string, column: string) => {
    const { rows } = await opened().db.query<{ time: Date }>(`SELECT ${column} AS time FROM iot.${relation}`);
    const known = rows.map(({ time }) => (now - time.getTime()) / dayMs);
    return ages.filter((age) => known.some((found) => found >= age - 0.001 && found < age + 1));
  };
  const retain = async () => {
    await runPolicies(opened().db, 'policy_retention');
    return applyRetention(opened().db);
  };

  test('with the defaults nothing of this goes', async () => {
    const { db } = opened();
    const rows = ages.flatMap((age) =>
      [0, 1].map((step) => ({
        deviceId: 1,
        metricId: 1,
        time: timeOf(age) + step,
        value: age,
        quality: 0,
      })),
    );
    await write(db, rows);
    await rollUp(db);
    await retain();
    assert.deepEqual(await agesIn('reading', 'time'), ages);
    assert.deepEqual(await agesIn('reading_15min', 'bucket'), ages);
    assert.deepEqual(await agesIn('reading_1h', 'bucket'), ages);
    assert.deepEqual(await agesIn('reading_1d', 'bucket'), ages);
  });

  test('readings that are not rolled up yet stay', async (t) => {
    const { db, edition } = opened();
    if (edition === 'community') {
      t.skip('the database rolls up by itself');
      return;
    }
    await db.query('UPDATE iot.storage SET rolled_until = $1', [new Date(timeOf(45))]);
    await setStorage(db, short);
    await retain();
    assert.ok((await agesIn('reading', 'time')).includes(40));
    await rollUp(db);
    assert.deepEqual(await agesIn('reading_1d', 'bucket'), ages);
  });

  test('what is older than its retention goes, the rest stays', async () => {
    const { db } = opened();
    await setStorage(db, short);
    await retain();
    assert.deepEqual(await agesIn('reading', 'time'), [6, 3, 0.1]);
    for (const [view, keepDays] of [
      ['reading_15min', short.fifteenMinuteDays],
      ['reading_1h', short.hourlyDays],
    ] as const) {
      const left = await agesIn(view, 'bucket');
      for (const age of ages) {
        if (age < keepDays) assert.ok(left.includes(age), `${view} lost ${age} days ago`);
        if (age > keepDays + rollupPartDays) assert.ok(!left.includes(age), `${view} kept ${age} days ago`);
      }
    }
    assert.deepEqual(await agesIn('reading_1d', 'bucket'), ages);
    assert.equal(await applyRetention(db), 0);
  });

  test('a straggler from before the retention does not replace the rollup of its day', async () => {
    const { db } = opened();
    const day = async () => {
      const { rows } = await db.query<{ n: number; first: number }>(
        `SELECT n, first FROM iot.reading_1d WHERE bucket = $1`,
        [new Date(Math.floor(timeOf(25) / dayMs) * dayMs)],
      );
      return rows;
    };
    const known = await day();
    assert.equal(known[0]?.first, 25);
    const straggler = { deviceId: 1, metricId: 1, time: timeOf(25) - 5, value: 999, quality: 0 };
    await write(db, [straggler]);
    // A longer retention does not bring back what was dropped.
    await setStorage(db, { rawDays: 60, fifteenMinuteDays: 90, hourlyDays: 365, compressAfterDays: 7 });
    await rollUp(db);
    assert.deepEqual(await day(), known);
    assert.equal((await readStorageStatus(db)).lateHours, 0);
  });

  test('the same settings again touch no policy; others replace them', async () => {
    const { db, edition } = opened();
    const jobs = async () => {
      if (edition !== 'community') return [];
      const { rows } = await db.query<{ job_id: number; config: Record<string, unknown> }>(
        `SELECT job_id, config FROM timescaledb_information.jobs WHERE proc_name IN ('policy_retention', 'policy_compression') ORDER BY job_id`,
      );
      return rows;
    };
    await setStorage(db, short);
    const before = await jobs();
    await setStorage(db, short);
    assert.deepEqual(await jobs(), before);
    await Promise.all([1, 2, 3].map(() => setStorage(db, { ...short, rawDays: 8 })));
    const status = await readStorageStatus(db);
    assert.equal(status.rawDays, 8);
    assert.equal(status.policies.length, edition === 'community' ? 11 : 0);
    if (edition === 'community') assert.match(JSON.stringify(await jobs()), /"drop_after":"8 days"/);
  });

  test('settings that contradict each other are refused', async () => {
    const { db } = opened();
    await assert.rejects(setStorage(db, { ...short, rawDays: 30 }), /7 <= raw <= 15-minute <= hourly/);
  });

  test('the status tells layout, sizes and span', async () => {
    const { db, edition } = opened();
    await refreshPercentiles(db);
    const { relations, rollups } = await readStorageStatus(db);
    assert.equal(rollups, edition === 'community' ? 'continuous' : 'own');
    assert.deepEqual(
      relations.map(({ relation, layout }) => [relation, layout]),
      [
        ['reading', edition === 'plain' ? 'partitions' : 'chunks'],
        ['rollup_15min', edition === 'plain' ? 'partitions' : 'chunks'],
        ['rollup_1h', edition === 'plain' ? 'partitions' : 'chunks'],
        ['rollup_1d', edition === 'community' ? 'chunks' : 'table'],
        ['percentile_1h', edition === 'plain' ? 'partitions' : 'chunks'],
        ['percentile_1d', 'table'],
      ],
    );
    for (const { bytes, parts } of relations) assert.ok(bytes > 0 && parts > 0);
    const [readings] = relations;
    assert.ok(readings?.newest !== null && readings !== undefined && readings.newest.getTime() > now - dayMs);
  });
});
