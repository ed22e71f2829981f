// Moments for messages without one: never the same twice for a device, the same again for a redelivered message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClockWatch } from '../../../connector/quality/clock.ts';
import { createQualityWatch } from '../../../connector/quality/watch.ts';
import { createArrivalClock } from '../../../connector/ingest/arrival-clock.ts';
import { toItem } from '../../../connector/ingest/item.ts';
import type { Connection } from '../../../connector/sources/message.ts';
import { address, dataItem, message, t0 } from './message-fixture.ts';

test('a device gets no moment twice and none before the arrival, whatever arrives when', () => {
  const arrival = fc.record({
    device: fc.constantFrom('a', 'b'),
    arrivedAt: fc.nat(5),
    origin: fc.constantFrom(undefined, 'c:1', 'c:2'),
  });
  fc.assert(
    fc.property(fc.array(arrival), (arrivals) => {
      const clock = createArrivalClock(new Map());
      const given = arrivals.map(({ device, arrivedAt, origin }) => {
        const { at, stamp } = clock.stamp(message({ arrivedAt, origin }), device);
        assert.ok(at >= arrivedAt);
        assert.equal(stamp === undefined, origin === undefined);
        return `${device}${at}`;
      });
      assert.equal(new Set(given).size, given.length);
    }),
  );
});

test('a redelivered message gets its moment again, in this run and the next', () => {
  const first = message({ origin: 'c:1' });
  const clock = createArrivalClock(new Map());
  const { at, stamp } = clock.stamp(first, 'farm1/m1');
  assert.ok(stamp);
  assert.equal(at, t0);
  const again = { ...first, redelivered: true, arrivedAt: t0 + 90_000 };
  assert.deepEqual(clock.stamp(again, 'farm1/m1'), { at, stamp: undefined });
  const nextRun = createArrivalClock(new Map([[stamp.origin, stamp]]));
  assert.deepEqual(nextRun.stamp(again, 'farm1/m1'), { at, stamp: undefined });
});

test('what only looks redelivered gets a moment of its own', () => {
  const clock = createArrivalClock(new Map());
  clock.stamp(message({ origin: 'c:1' }), 'm1');
  const at = (changes: Parameters<typeof message>[0]) =>
    clock.stamp(message({ arrivedAt: t0 + 1_000, origin: 'c:1', ...changes }), 'm1').at;
  // The packet id was used again for another message: other payload, other topic, or not marked at all.
  assert.equal(at({ redelivered: true, payload: Buffer.from('{"other":1}') }), t0 + 1_000);
  assert.equal(at({ redelivered: true, topic: 'dairy/farm1/milk_meter/m2/data' }), t0 + 1_001);
  assert.equal(at({ redelivered: false }), t0 + 1_002);
  assert.equal(at({ redelivered: true, origin: 'c:9' }), t0 + 1_003);
});

test('only data without a time gets one, with all its points', () => {
  const clock = createArrivalClock(new Map());
  const arrivals = { clock, watch: createQualityWatch(new Map()), clocks: createClockWatch(60_000) };
  const { decoded: timed } = dataItem([['milk_flow', t0 - 5, 1]]);
  const untimed = dataItem(
    [
      ['milk_flow', NaN, 1],
      ['milk_yield', NaN, 2],
    ],
    { at: undefined },
  ).decoded;
  const incoming = message({ origin: 'c:1', arrivedAt: t0 + 7 });
  assert.deepEqual(toItem(incoming, timed, arrivals), {
    message: incoming,
    decoded: timed,
    stamp: undefined,
  });
  const item = toItem(incoming, untimed, arrivals);
  assert.ok(item.decoded.kind === 'data');
  assert.deepEqual(
    [item.decoded.data.at, ...item.decoded.data.points.map(({ time }) => time)],
    [t0 + 7, t0 + 7, t0 + 7],
  );
  assert.deepEqual([item.decoded.address, item.stamp?.at], [address, t0 + 7]);
});

const connectionOf = (changes: Partial<Connection> = {}): Connection => ({
  client: 'c',
  delivered: 0,
  heardAt: t0,
  window: 100,
  ...changes,
});

test('a stamp is void once its acknowledgement must have reached the broker', () => {
  const connection = connectionOf();
  const clock = createArrivalClock(new Map());
  const first = message({ origin: 'c:1', connection });
  clock.heard(first);
  const { stamp } = clock.stamp(first, 'm1');
  assert.ok(stamp);
  clock.committed([stamp], t0);
  connection.delivered = 100;
  assert.deepEqual(clock.voided(), []);
  connection.delivered = 101;
  assert.deepEqual([...clock.voided(), ...clock.voided()], ['c:1', 'c:1'], 'until a batch is committed');
  clock.committed([], t0);
  assert.deepEqual(clock.voided(), []);
  // The packet id came round, and the broker repeats another, equal message: it is news.
  const equal = message({ origin: 'c:1', connection, redelivered: true, arrivedAt: t0 + 5_000 });
  assert.equal(clock.stamp(equal, 'm1').at, t0 + 5_000);
});

test('a stamp is void a minute after the acknowledgement on a connection that lives on', () => {
  const connection = connectionOf({ window: undefined });
  const clock = createArrivalClock(new Map());
  const first = message({ origin: 'c:1', connection });
  clock.heard(first);
  const { stamp } = clock.stamp(first, 'm1');
  assert.ok(stamp);
  connection.heardAt = t0 + 3_600_000;
  assert.deepEqual(clock.voided(), [], 'not committed, so not acknowledged');
  clock.committed([stamp], t0 + 3_600_000);
  connection.heardAt = t0 + 3_660_001;
  assert.deepEqual(clock.voided(), ['c:1']);
});

test('a client that is silent keeps no stamp of another one', () => {
  const clock = createArrivalClock(new Map());
  const give = (origin: string, connection: Connection) => {
    const first = message({ origin, connection });
    clock.heard(first);
    const { stamp } = clock.stamp(first, origin);
    assert.ok(stamp);
    return stamp;
  };
  const silent = connectionOf({ client: 'silent' });
  const busy = connectionOf({ client: 'busy:1' });
  clock.committed([give('silent:1', silent), give('busy:1:1', busy), give('busy:1:2', busy)], t0);
  busy.delivered = 101;
  assert.deepEqual(clock.voided(), ['busy:1:1', 'busy:1:2']);
});

test('what was unacknowledged at the end of a connection keeps its moment, whatever time has passed', () => {
  const stamp = { origin: 'c:1', digest: '', at: t0 };
  const before = createArrivalClock(new Map());
  const first = message({ origin: 'c:1' });
  const given = before.stamp(first, 'm1').stamp;
  assert.ok(given);
  const connection = connectionOf({ heardAt: t0 + 90_000_000 });
  const clock = createArrivalClock(new Map([[stamp.origin, given]]));
  const again = message({ origin: 'c:1', connection, redelivered: true, arrivedAt: t0 + 90_000_000 });
  clock.heard(again);
  assert.deepEqual(clock.voided(), []);
  assert.equal(clock.stamp(again, 'm1').at, t0);
});

test('a retained message without a time is no news', () => {
  const clock = createArrivalClock(new Map());
  const arrivals = { clock, watch: createQualityWatch(new Map()), clocks: createClockWatch(60_000) };
  const { decoded } = dataItem([['milk_flow', NaN, 1]], { at: undefined });
  const kept = toItem(message({ retained: true }), decoded, arrivals);
  assert.equal(kept.decoded.kind, 'ignored');
  const { decoded: timed } = dataItem([['milk_flow', t0 - 5, 1]]);
  assert.equal(toItem(message({ retained: true }), timed, arrivals).decoded, timed);
});

test('made-up devices cannot fill the memory: whoever was heard first is forgotten first', () => {
  const clock = createArrivalClock(new Map());
  const at = (device: string, more: Parameters<typeof message>[0] = {}) =>
    clock.stamp(message(more), device).at;
  assert.deepEqual([at('m1'), at('m1')], [t0, t0 + 1]);
  assert.deepEqual([at('m1', { deadLetterId: 1 }), at('m1', { deadLetterId: 2 })], [t0, t0 + 1]);
  for (let n = 0; n < 50_000; n++) at(`invented-${n}`);
  assert.equal(at('m1'), t0);
  for (let n = 0; n < 50_000; n++) at(`invented-${n}`, { deadLetterId: 3 });
  assert.equal(at('m1', { deadLetterId: 4 }), t0);
});

test('a dead letter replayed two hours later keeps the time of its first arrival, whatever its device has said since', () => {
  const clock = createArrivalClock(new Map());
  const now = t0 + 2 * 3_600_000;
  assert.equal(clock.stamp(message({ arrivedAt: now }), 'm1').at, now);
  assert.deepEqual(clock.stamp(message({ deadLetterId: 1 }), 'm1'), { at: t0, stamp: undefined });
  // Letters of one batch may have arrived in one millisecond: they are two all the same.
  assert.equal(clock.stamp(message({ deadLetterId: 2 }), 'm1').at, t0 + 1);
  assert.equal(clock.stamp(message({ deadLetterId: 3 }), 'm2').at, t0);
  assert.equal(clock.stamp(message({ arrivedAt: now }), 'm1').at, now + 1);
});

test('what is remembered of devices has an end, and strangers cost a device that talks nothing', () => {
  const clock = createArrivalClock(new Map());
  const at = (device: string, changes: Parameters<typeof message>[0] = {}) =>
    clock.stamp(message(changes), device).at;
  const strangers = (from: number, count: number, changes: Parameters<typeof message>[0] = {}) => {
    for (let index = from; index < from + count; index++) at(`stranger${index}`, changes);
  };
  assert.deepEqual([at('m1'), at('silent')], [t0, t0]);
  strangers(0, 30_000);
  assert.equal(at('m1'), t0 + 1, 'it has talked since');
  strangers(30_000, 30_000);
  assert.equal(at('m1'), t0 + 2);
  assert.equal(at('silent'), t0, 'forgotten: nothing grows for ever');

  assert.equal(at('m1', { deadLetterId: 1 }), t0);
  strangers(0, 60_000, { deadLetterId: 2 });
  assert.equal(at('m1', { deadLetterId: 1 }), t0, 'replays are forgotten too');
});

test('stamps of clients that never come back have an end: the oldest are void', () => {
  const clock = createArrivalClock(new Map());
  const stamp = (client: number) => clock.stamp(message({ origin: `client${client}:1` }), 'm1');
  for (let client = 0; client < 100_000; client++) stamp(client);
  assert.deepEqual(clock.voided(), []);
  stamp(0);
  stamp(100_000);
  stamp(100_001);
  assert.deepEqual(clock.voided(), ['client1:1', 'client2:1'], 'client 0 has said something since');
});

test('connections of clients that never come back have an end: a forgotten one counts as new when it is heard again', () => {
  const clock = createArrivalClock(new Map());
  const known = connectionOf({ client: 'known' });
  const first = message({ origin: 'known:1', connection: known });
  clock.heard(first);
  clock.stamp(first, 'm1');
  const later = (strangers: number) => {
    for (let client = 0; client < strangers; client++)
      clock.heard(message({ connection: connectionOf({ client: `client${client}` }) }));
    known.delivered += 50;
    clock.heard(message({ connection: known }));
    return clock.voided();
  };
  assert.deepEqual(later(50_000), []);
  assert.deepEqual(later(0), []);
  assert.deepEqual(later(0), [], 'counted from the 50 that it had delivered when it was heard again');
  assert.deepEqual(later(0), ['known:1']);
});
