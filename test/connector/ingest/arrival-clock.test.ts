// Moments for messages without one: never the same twice for a device, the same again for a redelivered message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClockWatch } from '../../../connector/quality/clock.ts';
import { createQualityWatch } from '../../../connector/quality/watch.ts';
import { createArrivalClock } from '../../../connector/ingest/arrival-clock.ts';
import { toItem } from '../../../connector/ingest/item.ts';
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
