// Milk per animal, farm, device and day: the farm's own day, whatever the server's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboardSums } from '../../connector/db/query-devices.ts';
import { milkProduction, milkQuality } from '../../connector/db/query-milk.ts';
import { setTimezone } from '../../connector/db/storage.ts';
import { onEachEdition } from './fixture.ts';

onEachEdition('milk per day', (opened) => {
  const daily = async () => {
    const { rows } = await opened().db.query<Record<string, unknown>>(
      `SELECT day::text, farm_code, rfid, device_uid, milkings::int, complete_milkings::int, yield_kg FROM iot.milk_daily
       ORDER BY day, rfid, device_uid`,
    );
    return rows.map((row) => Object.values(row));
  };

  test('milkings of a day add up per animal and meter', async () => {
    const { db } = opened();
    await db.query(`INSERT INTO iot.farm (code, name) VALUES ('f1', 'f1')`);
    await db.query(`INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
      VALUES (1, 'm1', 'milk_meter', 'm1', 'registered'), (1, 'm2', 'milk_meter', 'm2', 'registered')`);
    const milking = (
      device: number,
      rfid: string,
      at: string,
      kg: number | null,
      complete = true,
      closed = true,
    ) =>
      db.query(
        `INSERT INTO iot.milk_session (device_id, farm_id, session_key, wire_id, rfid, started_at, last_at, closed, complete, yield_kg)
         VALUES ($1, 1, $2::text, $2::text, $3, $2::timestamptz, $2::timestamptz, $4, $5, $6)`,
        [device, at, rfid, closed, complete, kg],
      );
    await milking(1, '050000000000001', '2026-03-01T05:00:00Z', 10);
    await milking(1, '050000000000001', '2026-03-01T15:00:00Z', 8.5, false);
    await milking(2, '050000000000001', '2026-03-01T19:00:00Z', 1);
    await milking(1, '050000000000002', '2026-03-01T05:20:00Z', 12);
    await milking(1, '050000000000002', '2026-03-01T20:00:00Z', 4, true, false);
    assert.deepEqual(await daily(), [
      ['2026-03-01', 'f1', '050000000000001', 'm1', 2, 1, 18.5],
      ['2026-03-01', 'f1', '050000000000001', 'm2', 1, 1, 1],
      ['2026-03-01', 'f1', '050000000000002', 'm1', 1, 1, 12],
    ]);
  });

  test('a milking after midnight in Dhaka belongs to the next day', async () => {
    await setTimezone(opened().db, 'Asia/Dhaka');
    assert.deepEqual(
      (await daily()).map(([day, , rfid, device]) => [day, rfid, device]),
      [
        ['2026-03-01', '050000000000001', 'm1'],
        ['2026-03-01', '050000000000002', 'm1'],
        ['2026-03-02', '050000000000001', 'm2'],
      ],
    );
  });

  test('whoever asks: over midnight of the farm a new day begins, and of no other zone', async () => {
    const { db } = opened();
    await db.query(
      `INSERT INTO iot.farm (id, code, name) OVERRIDING SYSTEM VALUE VALUES (77, 'night', 'night')`,
    );
    const { rows } = await db.query<{ midnight: Date }>(
      `SELECT date_trunc('day', now(), 'Asia/Dhaka') AS midnight`,
    );
    const midnight = rows[0]?.midnight.getTime() ?? NaN;
    const minute = 60_000;
    for (const [at, kg] of [
      [midnight - minute, 10],
      [midnight, 7],
      [midnight + minute, 4],
    ] as const)
      await db.query(
        `INSERT INTO iot.milk_session (device_id, farm_id, session_key, wire_id, rfid, started_at, last_at, closed, complete, yield_kg, record)
         VALUES (1, 77, $1::text, $1::text, '050000000000009', $1::timestamptz, $1::timestamptz, true, true, $2, '{"fat_pct": 4}')`,
        [new Date(at).toISOString(), kg],
      );
    const range = {
      farm: 'night',
      start: new Date(midnight - 2 * minute),
      end: new Date(midnight + 2 * minute),
    };
    const day = (at: number) => new Date(at + 6 * 60 * minute).toISOString().slice(0, 10);
    const perDay = async () => {
      const { rows: view } = await db.query<{ day: string; kg: number }>(
        `SELECT day::text, yield_kg AS kg FROM iot.milk_daily WHERE farm_code = 'night' ORDER BY day`,
      );
      const report = await milkQuality(db, range);
      const production = await milkProduction(db, 'day', range);
      return {
        view: view.map(({ day: date, kg }) => [date, kg]),
        report: report.map(({ date, yieldKg }) => [date, yieldKg]),
        production: production.map(({ timestamp, yieldKg }) => [timestamp, yieldKg]),
      };
    };

    await setTimezone(db, 'Asia/Dhaka');
    const days = [
      [day(midnight - minute), 10],
      [day(midnight), 11],
    ];
    const begins = [midnight - 24 * 60 * minute, midnight].map((at) => new Date(at).toISOString());
    const local = {
      view: days,
      report: days,
      production: [
        [begins[0], 10],
        [begins[1], 11],
      ],
    };
    assert.deepEqual(await perDay(), local);
    assert.equal((await dashboardSums(db, 'night')).milkKg, 11, 'today');

    await setTimezone(db, 'UTC');
    const utc = new Date(midnight).toISOString().slice(0, 10);
    assert.deepEqual(await perDay(), {
      view: [[utc, 21]],
      report: [[utc, 21]],
      production: [[`${utc}T00:00:00.000Z`, 21]],
    });

    // A farm of its own zone has its own days, whatever that of the others.
    await db.query(`UPDATE iot.farm SET timezone = 'Asia/Dhaka' WHERE code = 'night'`);
    assert.deepEqual(await perDay(), local);
    assert.equal((await dashboardSums(db, 'night')).milkKg, 11, 'today at the farm');
    assert.deepEqual(
      (await daily())
        .filter(([, farm]) => farm === 'f1')
        .map(([date, , rfid, device]) => [date, rfid, device]),
      [
        ['2026-03-01', '050000000000001', 'm1'],
        ['2026-03-01', '050000000000001', 'm2'],
        ['2026-03-01', '050000000000002', 'm1'],
      ],
      'the others keep theirs',
    );
  });
});
