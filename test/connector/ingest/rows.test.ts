// What a batch writes: first occurrences, new points, tags, statuses, stamps, dead letters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readingKey, type StoredValue } from '../../../connector/db/readings.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import {
  dataRowsOf,
  deadLettersOf,
  outcomesOf,
  replaysOf,
  stampsOf,
  statusRowsOf,
  tagReadsOf,
} from '../../../connector/ingest/rows.ts';
import { milkingEventsOf } from '../../../connector/ingest/milking-events.ts';
import { verdictsOf } from '../../../connector/ingest/verdicts.ts';
import { address, dataItem, device, message, t0 } from './message-fixture.ts';

const metricIds = new Map([
  ['milk_yield_increment', 1],
  ['milk_flow', 2],
]);
const find = () => device;
/** Milking events and outcomes of these items, where the database had `stored`. */
const eventsOf = (items: readonly Item[], stored: ReadonlyMap<string, StoredValue> = new Map()) => {
  const data = dataRowsOf(items, find, metricIds);
  return milkingEventsOf(data, verdictsOf(data, stored, metricIds));
};
const resultsOf = (
  items: readonly Item[],
  stored: ReadonlyMap<string, StoredValue> = new Map(),
  finder: Parameters<typeof outcomesOf>[3] = find,
) => {
  const data = dataRowsOf(items, finder, metricIds);
  return outcomesOf(items, data, verdictsOf(data, stored, metricIds), finder);
};
const session = { session: { id: 's1', event: 'reading' as const } };
const row = (metricId: number, time: number, value: number, quality = 0) => ({
  deviceId: device.id,
  metricId,
  time,
  value,
  quality,
});

test('of readings that say the same moment twice, one is written: the larger', () => {
  const rows = dataRowsOf(
    [
      dataItem([
        ['milk_flow', t0, 1],
        ['milk_flow', t0, 2],
        ['milk_yield_increment', t0, 3],
      ]),
      dataItem([
        ['milk_flow', t0, 4],
        ['milk_flow', t0 + 1, 5, 1],
      ]),
    ],
    find,
    metricIds,
  );
  assert.deepEqual(
    rows.map((each) => each.rows),
    [[row(2, t0, 4), row(1, t0, 3)], [row(2, t0 + 1, 5, 1)]],
  );
});

test('rows never hold a key twice, and hold every key that came', () => {
  const point = fc.tuple(
    fc.constantFrom('milk_flow', 'milk_yield_increment', 'unknown'),
    fc.nat(5),
    fc.double(),
  );
  fc.assert(
    fc.property(fc.array(fc.array(point, { maxLength: 5 }), { maxLength: 8 }), (messages) => {
      const rows = dataRowsOf(
        messages.map((points) => dataItem(points)),
        find,
        metricIds,
      );
      const keys = rows.flatMap((each) => each.rows.map((r) => readingKey(r.deviceId, r.metricId, r.time)));
      const came = messages.flat().filter(([metric]) => metric !== 'unknown');
      assert.equal(rows.length, messages.length);
      assert.equal(new Set(keys).size, keys.length);
      assert.equal(keys.length, new Set(came.map(([metric, time]) => `${metric}${time}`)).size);
    }),
  );
});

test('messages of rejected devices, other kinds and without a time write no rows', () => {
  const items: Item[] = [
    dataItem([['milk_flow', t0, 1]], { at: undefined }),
    { message: message(), decoded: { kind: 'ignored' }, stamp: undefined },
    { message: message(), decoded: { kind: 'dead', reason: 'x' }, stamp: undefined },
  ];
  assert.deepEqual(dataRowsOf(items, find, metricIds), []);
  assert.deepEqual(
    dataRowsOf([dataItem([['milk_flow', t0, 1]])], () => undefined, metricIds),
    [],
  );
});

test('points are new when neither the database nor the batch has them yet; doubtful ones never count', () => {
  const items = [
    dataItem(
      [
        ['milk_flow', t0, 1],
        ['milk_flow', t0 + 1, 2],
        ['milk_flow', t0 + 2, 99, 1],
      ],
      session,
    ),
    dataItem([['milk_flow', t0 + 1, 2]], session),
    dataItem([['milk_flow', t0 + 3, 4]]),
  ];
  const events = eventsOf(items, new Map([[readingKey(device.id, 2, t0), { value: 1, quality: 0 }]]));
  const values = (points: readonly { value: number }[]) => points.map(({ value }) => value);
  assert.deepEqual(
    events.map(({ event: { points, newPoints } }) => [values(points), values(newPoints)]),
    [
      [[1, 2], [2]],
      [[2], []],
    ],
  );
  assert.deepEqual(
    [events[0]?.event.wireId, events[0]?.event.event, events[0]?.event.at],
    ['s1', 'reading', t0],
  );
});

test('a volume that a message says twice for one moment is stored once and counts once', () => {
  const twice = dataItem(
    [
      ['milk_yield_increment', t0, 0.5],
      ['milk_yield_increment', t0, 0.5],
    ],
    session,
  );
  const [event] = eventsOf([twice]);
  assert.equal(event?.event.newPoints.length, 1);
  const doubtfulFirst = dataItem(
    [
      ['milk_yield_increment', t0, 900, 1],
      ['milk_yield_increment', t0, 0.5],
    ],
    session,
  );
  const [doubtful] = eventsOf([doubtfulFirst]);
  assert.deepEqual(
    doubtful?.event.newPoints.map(({ value }) => value),
    [0.5],
    'a doubtful value keeps no usable one out',
  );
});

test('a tag read is a tag at an own stall outside a milking', () => {
  const rfid = '050000000000017';
  const reads = (changes: object, stall: string | null = null) =>
    tagReadsOf(dataRowsOf([dataItem([], changes)], () => ({ ...device, stall }), metricIds));
  const read = { deviceId: 7, farmId: 1, rfid, at: t0 };
  assert.deepEqual(reads({ rfid, stall: '3' }, '3'), [{ ...read, stall: '3' }]);
  assert.deepEqual(reads({ rfid }, '4'), [{ ...read, stall: '4' }]);
  assert.deepEqual(reads({ rfid, stall: '3' }, '3, 4'), [{ ...read, stall: '3' }]);
  assert.deepEqual(reads({ rfid, stall: '3' }, '*'), [{ ...read, stall: '3' }]);
  for (const several of ['3, 4', '*']) assert.deepEqual(reads({ rfid }, several), [], 'which of them?');
  assert.deepEqual(reads({ rfid, stall: '3' }, '4'), []);
  assert.deepEqual(reads({ rfid, stall: '3' }), []);
  assert.deepEqual(reads({ rfid }), []);
  assert.deepEqual(reads({ stall: '3' }, '3'), []);
  assert.deepEqual(reads({ rfid, stall: '3', ...session }, '3'), []);
});

test('the last status of each device', () => {
  const status = (state: 'online' | 'offline', at: number, detail?: string): Item => ({
    message: message(),
    decoded: { kind: 'status', address, at, status: { state, detail } },
    stamp: undefined,
  });
  const items = [status('online', t0, 'up'), dataItem([]), status('offline', t0 + 1)];
  assert.deepEqual(statusRowsOf(items, find), [
    { deviceId: 7, at: t0 + 1, state: 'offline', detail: null, via: null, removed: false },
  ]);
  assert.deepEqual(
    statusRowsOf(items, () => undefined),
    [],
  );
});

test('the last stamp of each origin', () => {
  const stamped = (origin: string, at: number): Item => ({
    ...dataItem([]),
    stamp: { origin, digest: 'd', at },
  });
  const stamps = stampsOf([stamped('a', 1), dataItem([]), stamped('b', 2), stamped('a', 3)]);
  assert.deepEqual(
    stamps.map(({ origin, at }) => [origin, at]),
    [
      ['a', 3],
      ['b', 2],
    ],
  );
});

test('dead letters: what could not be decoded, and what came from rejected devices', () => {
  const broken: Item = {
    message: message(),
    decoded: { kind: 'dead', reason: 'not JSON' },
    stamp: undefined,
  };
  const ignored: Item = { message: message(), decoded: { kind: 'ignored' }, stamp: undefined };
  const { topic, payload } = broken.message;
  const lettersOf = (items: Item[], finder: () => typeof device | undefined) =>
    deadLettersOf(items, resultsOf(items, new Map(), finder));
  assert.deepEqual(lettersOf([broken, ignored, dataItem([])], find), [
    { topic, payload, reason: 'not JSON', arrivedAt: t0, origin: undefined, redelivered: false },
  ]);
  const unregistered =
    'device farm1/m1 is not registered; add it to devices in config/connector.yaml, accept it in Odoo or set intake.unknown_devices: discover';
  assert.deepEqual(
    lettersOf([ignored, dataItem([])], () => undefined).map(({ reason }) => reason),
    [unregistered],
  );
  const decodedByRest = dataItem([['milk_flow', t0, 1, 1]]);
  const ofRest = message({ payload: Buffer.alloc(0), decoded: decodedByRest.decoded });
  assert.equal(
    Buffer.from(
      lettersOf([{ ...decodedByRest, message: ofRest }], () => undefined)[0]?.payload ?? [],
    ).toString(),
    JSON.stringify({ v: 1, at: t0, points: [{ m: 'milk_flow', t: t0, v: 1, q: 1 }] }),
    'what was decoded beforehand is kept as the envelope that says the same',
  );
});

test('a dead letter that is replayed is marked, and never becomes a second one', () => {
  const items: Item[] = [
    {
      message: message({ deadLetterId: 1 }),
      decoded: { kind: 'dead', reason: 'still wrong' },
      stamp: undefined,
    },
    { ...dataItem([['milk_flow', t0, 1]]), message: message({ deadLetterId: 2 }) },
    dataItem([]),
  ];
  const outcomes = resultsOf(items);
  assert.deepEqual(deadLettersOf(items, outcomes), []);
  assert.deepEqual(replaysOf(items, outcomes), [
    { id: 1, reason: 'still wrong' },
    { id: 2, reason: null },
  ]);
});

test('outcomes say which points were stored before, and which differ from what was', () => {
  const items = [
    dataItem([
      ['milk_flow', t0, 1],
      ['milk_yield_increment', t0, 2],
      ['milk_flow', t0, 3],
    ]),
    { ...dataItem([]), decoded: { kind: 'ignored' as const } },
    dataItem([
      ['milk_flow', t0, 1],
      ['milk_flow', t0 + 1, 1],
    ]),
    dataItem([['milk_flow', t0 + 2, 1]]),
  ];
  const outcomes = resultsOf(items, new Map([[readingKey(device.id, 1, t0), { value: 2, quality: 0 }]]));
  assert.deepEqual(outcomes, [
    { kind: 'stored', points: 3, duplicates: new Set([1]), conflicts: new Set([2]) },
    { kind: 'ignored' },
    { kind: 'stored', points: 2, duplicates: new Set(), conflicts: new Set([0]) },
    { kind: 'stored', points: 1, duplicates: new Set() },
  ]);
});
