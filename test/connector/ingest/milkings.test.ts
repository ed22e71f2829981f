// Messages into milkings through the writer and a real database: order, repetition and batches do not show in what Odoo gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentMilkings } from '../../../connector/db/milking-load.ts';
import { latestMilkings } from '../../../connector/db/query-milk.ts';
import {
  loadDimensions,
  putDevices,
  rememberDevices,
  type Dimensions,
} from '../../../connector/db/dimensions.ts';
import { inTransaction, type Db } from '../../../connector/db/pool.ts';
import { decodeMessage } from '../../../connector/decode/message.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { closeSilent } from '../../../connector/ingest/milkings.ts';
import { mappings } from '../../../connector/odoo/mapping/index.ts';
import { createWriter, type WriteBatch } from '../../../connector/ingest/writer.ts';
import type { MilkSessionRecord } from '../../../contract/records.ts';
import { createRandom } from '../../../scripts/dev/simulator/random.ts';
import { eventually } from '../../support/connector.ts';
import { below } from '../../support/fuzz.ts';
import { logger, onEachEdition } from '../../timescale/fixture.ts';
import { makeDay, meters, reader, stalls, type DayMessage } from '../milkings/day.ts';
import { createFarm } from '../milkings/memory.ts';
import { catalogue, context } from './delivered-context.ts';
import { message } from './message-fixture.ts';
import { milkingSettings } from './milking-settings.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Yesterday at eight, UTC. */
const t0 = Math.floor(Date.now() / (24 * hour)) * 24 * hour - 16 * hour;
const days = Number(process.env['MILKING_DATABASE_DAYS'] ?? 20);

onEachEdition('milkings', (opened) => {
  let farms = 0;

  /** A farm of its own, and a writer. `payload` objects are what its devices publish, batch by batch. */
  async function openFarm() {
    const { db } = opened();
    farms += 1;
    const farm = `f${farms}`;
    const dimensions = await loadDimensions(db, catalogue);
    rememberDevices(
      dimensions,
      await inTransaction(db, (client) =>
        putDevices(client, [
          {
            farm,
            deviceUid: reader,
            deviceType: 'rfid_reader',
            name: 'Parlour',
            profile: null,
            stall: '*',
            seenAt: null,
            state: 'registered',
          },
        ]),
      ),
    );
    const write = createWriter({
      db,
      dimensions,
      unknownDevices: 'discover',
      voidedStamps: () => [],
      milkings: milkingSettings,
      logger,
    });
    return { db, farm, dimensions, write, ...queriesOf(db, farm, dimensions, write) };
  }

  const record = (at: number, litres: number, more: object = {}) => ({
    session_id: '1',
    timestamp: new Date(at).toISOString(),
    yield_liters: litres,
    ...more,
  });
  const kg = (records: readonly MilkSessionRecord[]) => records.map(({ yield_kg }) => yield_kg);

  test('a number that is used again ten hours later is another milking, whichever comes first', async () => {
    const two = [record(t0, 10, { animal_id: 'A' }), record(t0 + 10 * hour, 14, { animal_id: 'B' })];
    const calm = await openFarm();
    for (const each of two) await calm.send(each);
    const late = await openFarm();
    for (const each of two.toReversed()) await late.send(each);
    for (const farm of [calm, late]) {
      const rows = await farm.rows();
      assert.deepEqual(kg(rows.map((row) => row.record)), [10.3, 14.42]);
      assert.deepEqual(
        rows.map((row) => row.session_key),
        ['1', `1@${new Date(t0 + 10 * hour).toISOString()}`],
      );
      assert.deepEqual(
        await farm.outbox(),
        rows.map((row) => row.record),
      );
    }
  });

  test('more than an animal can give is told, and counts in no mean', async () => {
    const farm = await openFarm();
    const day = 24 * hour;
    for (const before of [3, 2, 1])
      await farm.send(record(t0 - before * day, 10, { session_id: `d${before}`, animal_id: 'A' }));
    const increments = [80, 80, 80].map((litres, index) => ({
      v: 1,
      at: new Date(t0 + index * minute).toISOString(),
      points: [{ m: 'milk_yield_increment', v: litres }],
      session: { id: 'much', event: index === 2 ? 'end' : 'reading' },
      animal: { id: 'A' },
    }));
    for (const each of increments) await farm.send(each);
    await farm.send(record(t0 + 10 * hour, 10, { session_id: 'after', animal_id: 'A' }));
    const [much, after] = (await farm.records()).slice(-2);
    assert.deepEqual([much?.yield_kg, much?.abnormal, much?.expected_yield_kg], [240, true, 10.3]);
    assert.deepEqual([after?.yield_kg, after?.expected_yield_kg, after?.abnormal], [10.3, 10.3, false]);
    const alerts = await farm.db.query<{ alert_key: string; record: { threshold_value: number } }>(
      `SELECT alert_key, record FROM iot.alert WHERE alert_key LIKE $1`,
      [`${farm.farm}/%`],
    );
    assert.deepEqual(
      alerts.rows.map(({ alert_key, record: { threshold_value: bound } }) => [
        alert_key.split('/').slice(-2).join('/'),
        bound,
      ]),
      [['much/impossible_yield', 100]],
    );
  });

  test('the newest version stays, however often the first one comes again', async () => {
    for (const [first, corrected] of [
      [record(t0, 10), record(t0 + minute, 12)],
      [record(t0, 10), record(t0, 12)],
    ]) {
      const farm = await openFarm();
      for (const each of [first, corrected, first]) await farm.send(each ?? {});
      const [row, ...others] = await farm.rows();
      assert.deepEqual([row?.record.yield_kg, row?.revision, others], [12.36, 2, []]);
      assert.equal(row?.record.marks, first?.timestamp === corrected?.timestamp ? 'conflict' : undefined);
    }
  });

  test('the device’s own revision decides, also downwards and against the times', async () => {
    const version = (revision: number, at: number, value: number) => ({
      v: 1,
      at,
      session: { id: '7', event: 'record', revision },
      points: [{ m: 'milk_yield', v: value }],
    });
    const versions = [version(0, t0 + minute, 12), version(1, t0, 9)];
    for (const order of [versions, versions.toReversed()]) {
      const farm = await openFarm();
      for (const each of order) await farm.send(each);
      assert.deepEqual(kg(await farm.records()), [9]);
      assert.deepEqual(await farm.marks(), [undefined]);
    }
  });

  const part = (type: string, at: number, more: object = {}) => ({
    type,
    timestamp: new Date(at).toISOString(),
    ...more,
  });

  test('two increments of one second both count, and a repetition of either does not', async () => {
    const messages = [
      part('session_start', t0, { session_id: 'x' }),
      part('reading', t0 + minute, { session_id: 'x', volume: 1 }),
      part('reading', t0 + minute, { session_id: 'x', volume: 2 }),
      part('session_end', t0 + 2 * minute, { session_id: 'x' }),
    ];
    for (const order of [messages, messages.toReversed()]) {
      const farm = await openFarm();
      for (const each of [...order, ...order]) await farm.send(each);
      assert.deepEqual(kg(await farm.records()), [3.09]);
      const together = await openFarm();
      await together.send(...order, ...order);
      assert.deepEqual(kg(await together.records()), [3.09]);
    }
  });

  test('equal increments of one second count by the ids of their messages', async () => {
    const farm = await openFarm();
    const drop = (id: string) => ({
      v: 1,
      id,
      at: t0,
      session: { id: 'x', event: 'reading' },
      points: [{ m: 'milk_yield_increment', v: 0.5 }],
    });
    await farm.send(drop('a'), drop('b'), drop('a'));
    await farm.send(drop('b'), { v: 1, at: t0 + second, session: { id: 'x', event: 'end' }, points: [] });
    assert.deepEqual(kg(await farm.records()), [1]);
  });

  test('a value that differs from the one of its moment is told; the larger is kept', async () => {
    const farm = await openFarm();
    const flow = (value: number) => ({ v: 1, at: t0, points: [{ m: 'milk_flow', v: value }] });
    await farm.send(flow(2));
    const { outcomes, conflicts, duplicates, readings } = await farm.send(flow(3), flow(1), flow(3));
    assert.deepEqual([readings, conflicts, duplicates], [0, 2, 1]);
    assert.deepEqual(
      outcomes.map(
        (outcome) => outcome.kind === 'stored' && [outcome.conflicts?.size ?? 0, outcome.duplicates.size],
      ),
      [
        [1, 0],
        [1, 0],
        [0, 1],
      ],
    );
    const { rows } = await farm.db.query<{ value: number }>(
      `SELECT value FROM iot.sensor_data WHERE farm_code = $1 AND metric = 'milk_flow'`,
      [farm.farm],
    );
    assert.deepEqual(rows, [{ value: 3 }]);
  });

  test('a drop half a second after the end belongs to that milking', async () => {
    const farm = await openFarm();
    await farm.send(part('session_start', t0));
    await farm.send(part('reading', t0 + minute, { volume: 10 }));
    await farm.send(part('session_end', t0 + 2 * minute));
    await farm.send(part('reading', t0 + 2 * minute + 500, { volume: 0.2 }));
    const rows = await farm.rows();
    assert.deepEqual(kg(rows.map((row) => row.record)), [10.506]);
    assert.deepEqual(
      rows.map((row) => row.closed),
      [true],
    );
  });

  test('the tag read nearest to the start counts, also when another came first', async () => {
    const read = (rfid: string, at: number) => ({
      device: 'reader',
      v: 1,
      at,
      stall: '7',
      points: [],
      animal: { rfid },
    });
    const milking = [
      { v: 1, at: t0, stall: '7', session: { id: '1', event: 'start' }, points: [] },
      {
        v: 1,
        at: t0 + 5 * minute,
        stall: '7',
        session: { id: '1', event: 'end' },
        points: [{ m: 'milk_yield', v: 8 }],
      },
    ];
    const [x, y] = ['050000000000011', '050000000000012'];
    const all = [read(x, t0 - 240 * second), ...milking, read(y, t0 + second)];
    for (const order of [all, all.toReversed(), [all[3], all[0], all[2], all[1]]]) {
      const farm = await openFarm();
      for (const each of order) await farm.send(each as object);
      assert.deepEqual(
        (await farm.records()).map(({ rfid }) => rfid),
        [y],
      );
      assert.deepEqual(
        (await farm.outbox()).map(({ rfid }) => rfid),
        [y],
      );
    }
  });

  test('milk of a meter whose clock is not set counts, and is marked', async () => {
    const farm = await openFarm();
    const points = [{ m: 'milk_yield', v: 10, q: 3 }];
    await farm.send({ v: 1, at: t0, session: { id: '1', event: 'start' }, points: [] });
    await farm.send({ v: 1, at: t0 + minute, session: { id: '1', event: 'end' }, points });
    await farm.send({ device: 'm2', v: 1, at: t0, session: { id: '1', event: 'record' }, points });
    const records = await farm.records();
    assert.deepEqual(
      records.map(({ yield_kg, complete, marks }) => [yield_kg, complete, marks]),
      [
        [10, true, 'clock'],
        [10, true, 'clock'],
      ],
    );
  });

  test('where no yield came that can be, the milking is not complete; 0 kg that was measured is', async () => {
    const farm = await openFarm();
    const end = (id: string, points: object[]) =>
      farm.send({
        v: 1,
        at: t0 + Number(id) * hour,
        session: { id, event: 'end' },
        animal: { id: 'A' },
        points,
      });
    await end('1', [{ m: 'milk_yield', v: 1000 }]);
    await end('2', [{ m: 'milk_conductivity', v: 5 }]);
    await end('3', [{ m: 'milk_yield_increment', v: 1000 }]);
    await end('4', [{ m: 'milk_yield', v: 0 }]);
    const rows = await farm.rows();
    assert.deepEqual(
      rows.map(({ record: { yield_kg, complete } }) => [yield_kg, complete]),
      [
        [0, false],
        [0, false],
        [0, false],
        [0, true],
      ],
    );
    // Nothing more comes of them: they are over, as they say themselves.
    const { rows: open } = await farm.db.query(
      'SELECT 1 FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id WHERE f.code = $1 AND NOT s.closed',
      [farm.farm],
    );
    assert.equal(open.length, 0);
  });

  test('a milking over midnight is of the day of its start, in the database as in its record', async () => {
    const farm = await openFarm();
    const midnight = Math.ceil(t0 / (24 * hour)) * 24 * hour;
    await farm.send(record(midnight + 2 * minute, 10, { duration_seconds: 300 }));
    const [row] = await farm.rows();
    assert.equal(row?.record.started_at, new Date(midnight - 3 * minute).toISOString());
    assert.equal(row.started_at.toISOString(), row.record.started_at);
    const { rows } = await farm.db.query<{ day: string }>(
      'SELECT day::text FROM iot.milk_daily WHERE farm_code = $1',
      [farm.farm],
    );
    assert.deepEqual(rows, [{ day: new Date(midnight - 1).toISOString().slice(0, 10) }]);
  });

  test('a silent milking of a device that this member has not met is published', async () => {
    const farm = await openFarm();
    await farm.send(
      part('session_start', t0, { session_id: 'z' }),
      part('reading', t0 + second, { session_id: 'z', volume: 5 }),
    );
    const published = await inTransaction(farm.db, async (client) =>
      closeSilent(client, await silentMilkings(client, 0), () => undefined, milkingSettings),
    );
    assert.deepEqual(
      published
        .filter(({ source_id }) => source_id.startsWith(`${farm.farm}/`))
        .map(({ record: { yield_kg, complete } }) => [yield_kg, complete]),
      [[5.15, false]],
    );
  });

  test('what was counted before stays when milkings are closed as silent while their next messages come', async () => {
    const farm = await openFarm();
    const messages = ['session_start', 'reading', 'reading', 'session_end'].map((type, minutes) =>
      ['x', 'y', 'z'].map((id, n) =>
        part(type, t0 + n * hour + minutes * minute, { session_id: id, volume: 1 + minutes }),
      ),
    );
    await farm.send(...messages.slice(0, 2).flat());
    const isWaiting = async () => {
      const { rows } = await farm.db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    };
    const batch = await inTransaction(farm.db, async (client) => {
      const ids = await silentMilkings(client, -1);
      await closeSilent(client, ids, (id) => farm.dimensions.devicesById.get(id), milkingSettings);
      const sending = farm.send(...messages.slice(2).flat());
      await eventually('the batch waits for the milkings', isWaiting);
      return { sending };
    });
    await batch.sending;
    assert.deepEqual(kg(await farm.records()), [10.3, 10.3, 10.3]);
  });

  test('a late milking changes what was to be expected of the later ones', async () => {
    const milkings = [0, 1, 2, 3].map((n) =>
      record(t0 - (4 - n) * 24 * hour, 10 + n, { session_id: `e${n}`, rfid_tag: '050000000000099' }),
    );
    const calm = await openFarm();
    for (const each of milkings) await calm.send(each);
    const late = await openFarm();
    for (const each of milkings.toReversed()) await late.send(each);
    const expected = (records: readonly MilkSessionRecord[]) =>
      records.map(({ expected_yield_kg }) => expected_yield_kg);
    assert.deepEqual(expected(await calm.records()), [null, null, null, 11.33]);
    assert.deepEqual(expected(await late.records()), [null, null, null, 11.33]);
  });

  test('a milking that turns out to be two leaves nothing of itself that counts', async () => {
    const farm = await openFarm();
    const readings = [
      part('reading', t0 + minute, { volume: 4 }),
      part('reading', t0 + 6 * minute, { volume: 5 }),
    ];
    for (const each of [...readings, part('session_end', t0 + 7 * minute)]) await farm.send(each);
    assert.deepEqual(kg(await farm.records()), [9.27]);
    await farm.send(part('session_start', t0));
    await farm.send(part('session_start', t0 + 5 * minute));
    await farm.close();
    assert.equal((await farm.outbox()).length, 3, 'Odoo is told of the one that is none');
    assert.deepEqual(
      [...(await farm.inOdoo()).values()].map((record) => record['yield_kg']),
      [4.12, 5.15],
    );
    assert.deepEqual(await farm.daily(), { milkings: 2, kg: 9.27 });
    const latest = (await latestMilkings(farm.db, 10_000)).filter(({ record }) => record.farm === farm.farm);
    assert.deepEqual(kg(latest.map((row) => row.record)), [5.15, 4.12]);
  });

  test('a milking that was none comes back when a later message says so', async () => {
    const farm = await openFarm();
    const key = `at:${new Date(t0 + minute).toISOString()}`;
    const told = async () => (await farm.inOdoo()).get(`m1/${key}`)?.['yield_kg'];
    await farm.send(part('reading', t0 + minute, { volume: 9 }), part('session_end', t0 + 2 * minute));
    assert.equal(await told(), 9.27);
    await farm.send(part('session_start', t0));
    assert.equal(await told(), undefined, 'it is of the milking that began before');
    await farm.send(part('session_end', t0 + 30 * second));
    assert.equal(await told(), 9.27, 'the one that began before had ended');
    assert.deepEqual(await farm.daily(), { milkings: 2, kg: 9.27 });
    assert.deepEqual(
      (await farm.rows()).map(({ session_key, revision, record }) => [session_key, revision, record.marks]),
      [
        [`at:${new Date(t0).toISOString()}`, 2, undefined],
        [key, 3, undefined],
      ],
    );
  });

  test(`${days} generated days give in any order what they give in memory`, async () => {
    for (let seed = 1; seed <= days; seed++) {
      const random = createRandom(seed, days);
      const day = makeDay(random, t0);
      const memory = createFarm();
      memory.batch(day.messages);
      const farm = await openFarm();
      const order = day.messages
        .flatMap((each) => (random() < 0.2 ? [each, each] : [each]))
        .map((each) => ({ each, place: random() }))
        .sort((left, right) => left.place - right.place)
        .map(({ each }) => each);
      while (order.length > 0)
        await farm.write(order.splice(0, 1 + below(random, 15)).map((each) => itemOf(farm.farm, each)));
      await farm.close();
      const stored = new Map(
        (await farm.rows())
          .filter((row) => row.record.marks !== 'void')
          .map((row) => [`${row.device_uid}/${row.session_key}`, withoutHistory(row.record)]),
      );
      const wanted = [...memory.records()].map(
        ([key, each]) => [key, withoutHistory({ ...each, farm: farm.farm })] as const,
      );
      assert.deepEqual(Object.fromEntries(stored), Object.fromEntries(wanted), `day ${seed}`);
      const inOdoo = wanted.map(([key, each]) => [key, mappings.milk_session.toOdoo(each)]);
      assert.deepEqual(Object.fromEntries(await farm.inOdoo()), Object.fromEntries(inOdoo), `day ${seed}`);
      const sum = wanted.reduce((total, [, { yield_kg }]) => total + yield_kg, 0);
      assert.deepEqual(await farm.daily(), { milkings: wanted.length, kg: rounded(sum) }, `day ${seed}`);
    }
  });
});

/** The expected yield has a test of its own: in memory there is no history, and no limits of a farm. */
const withoutHistory = (record: MilkSessionRecord) => ({
  ...record,
  expected_yield_kg: null,
  abnormal: false,
  abnormal_pct: null,
});

const rounded = (kg: number) => Math.round(kg * 1e6) / 1e6;

/** A generated message with the stall of its device. */
function itemOf(farm: string, { device, data }: DayMessage): Item {
  const deviceType = device === reader ? ('rfid_reader' as const) : ('milk_meter' as const);
  const isMeter = (meters as readonly string[]).includes(device);
  const own = structuredClone(data);
  if (isMeter && own.session !== undefined) own.stall ??= stalls[device];
  return {
    message: message(),
    decoded: {
      kind: 'data',
      address: { farm, deviceType, deviceUid: device, messageType: 'data' },
      data: own,
    },
    stamp: undefined,
  };
}

interface Stored {
  device_uid: string;
  session_key: string;
  revision: number;
  closed: boolean;
  started_at: Date;
  record: MilkSessionRecord;
}

function queriesOf(db: Db, farm: string, dimensions: Dimensions, write: WriteBatch) {
  const rows = async () =>
    (
      await db.query<Stored>(
        `SELECT d.device_uid, s.session_key, s.revision, s.closed, s.started_at, s.record FROM iot.milk_session s
         JOIN iot.device d ON d.id = s.device_id JOIN iot.farm f ON f.id = d.farm_id
         WHERE f.code = $1 AND s.record IS NOT NULL ORDER BY s.started_at, d.device_uid, s.session_key`,
        [farm],
      )
    ).rows;
  return {
    rows,
    records: async () => (await rows()).map(({ record }) => record),
    marks: async () => (await rows()).map(({ record: { marks } }) => marks),
    /** What Odoo shows, by device and key. */
    inOdoo: async () => {
      const { rows: told } = await db.query<{ source_id: string; payload: MilkSessionRecord }>(
        `SELECT source_id, payload FROM iot.outbox WHERE kind = 'milk_session' AND source_id LIKE $1
         ORDER BY payload->>'started_at', source_id`,
        [`${farm}/%`],
      );
      return new Map(
        told
          .map(({ source_id, payload }) => {
            const record = mappings.milk_session.toOdoo(withoutHistory(payload));
            return [source_id.slice(farm.length + 1), record] as const;
          })
          .filter(([, record]) => record['is_void'] !== true),
      );
    },
    /** What the days of the farm come to. */
    daily: async () => {
      const { rows: sums } = await db.query<{ milkings: number; kg: number }>(
        `SELECT coalesce(sum(milkings), 0)::int AS milkings, coalesce(sum(yield_kg), 0) AS kg
         FROM iot.milk_daily WHERE farm_code = $1`,
        [farm],
      );
      return { milkings: sums[0]?.milkings, kg: rounded(sums[0]?.kg ?? 0) };
    },
    /** What Odoo is told. */
    outbox: async () =>
      (
        await db.query<{ payload: MilkSessionRecord }>(
          `SELECT payload FROM iot.outbox WHERE kind = 'milk_session' AND source_id LIKE $1 ORDER BY payload->>'started_at', source_id`,
          [`${farm}/%`],
        )
      ).rows.map(({ payload }) => payload),
    send(...payloads: readonly object[]) {
      const items = payloads.map((sent): Item => {
        const { device = 'm1', ...payload } = sent as { device?: string };
        const type = device === 'reader' ? 'rfid_reader' : 'milk_meter';
        const topic = `dairy/${farm}/${type}/${device}/data`;
        const decoded = decodeMessage(topic, Buffer.from(JSON.stringify(payload)), Date.now(), context);
        assert.equal(decoded.kind, 'data', JSON.stringify(decoded));
        return { message: message({ topic }), decoded, stamp: undefined };
      });
      return write(items);
    },
    /** Every open milking is over. */
    close: () =>
      inTransaction(db, async (client) =>
        closeSilent(
          client,
          await silentMilkings(client, -1),
          (id) => dimensions.devicesById.get(id),
          milkingSettings,
        ),
      ),
  };
}
