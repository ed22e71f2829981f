// Statistics of a metric: the same in any order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addPoints, mean, mergeStats, replaceSmaller } from '../../../connector/milkings/stats.ts';

// Eighths add up exactly, so that order cannot hide behind rounding.
const point = fc.record({
  metric: fc.constantFrom('milk_flow', 'milk_yield', 'milk_fat'),
  time: fc.integer({ min: 0, max: 1_000 }),
  value: fc.integer({ min: -800, max: 800 }).map((eighths) => eighths / 8),
});
const points = fc.uniqueArray(point, { selector: ({ metric, time }) => `${metric}|${time}`, maxLength: 30 });

test('sums, peaks and last values are those of the points, in whatever order and portions they come', () => {
  fc.assert(
    fc.property(points, fc.func(fc.nat()), fc.nat(30), (given, order, cut) => {
      const shuffled = given.toSorted((a, b) => order(a) - order(b));
      const stats = addPoints(addPoints({}, shuffled.slice(0, cut)), shuffled.slice(cut));
      const byMetric = Map.groupBy(given, ({ metric }) => metric);
      assert.deepEqual(Object.keys(stats).sort(), [...byMetric.keys()].sort());
      for (const [metric, own] of byMetric) {
        const values = own.map(({ value }) => value);
        const newest = own.toSorted((a, b) => a.time - b.time).at(-1);
        assert.deepEqual(stats[metric], {
          n: own.length,
          sum: values.reduce((sum, value) => sum + value, 0),
          max: Math.max(...values),
          last: newest?.value,
          lastAt: newest?.time,
        });
      }
    }),
  );
});

test('nothing given changes is changed', () => {
  const before = Object.freeze(addPoints({}, [{ metric: 'milk_flow', time: 1, value: 2 }]));
  assert.equal(addPoints(before, []), before);
  addPoints(before, [{ metric: 'milk_flow', time: 2, value: 3 }]);
  assert.equal(before['milk_flow']?.n, 1);
});

test('two parts together are the whole', () => {
  fc.assert(
    fc.property(points, fc.nat(30), (given, cut) => {
      const [left, right] = [addPoints({}, given.slice(0, cut)), addPoints({}, given.slice(cut))];
      assert.deepEqual(mergeStats(left, right), addPoints({}, given));
      assert.deepEqual(mergeStats(right, left), addPoints({}, given));
    }),
  );
});

test('of two values of one moment the larger counts, whichever came first', () => {
  const point = (value: number) => ({ metric: 'milk_flow', time: 5, value });
  const both = (first: number, second: number) =>
    replaceSmaller(addPoints({}, [point(first)]), [{ ...point(second), before: first }]);
  assert.deepEqual(both(1, 2), both(2, 1));
  assert.deepEqual(both(1, 2)['milk_flow'], { n: 1, sum: 2, max: 2, last: 2, lastAt: 5 });
});

test('sums are exact to a millionth, in any order', () => {
  const tenths = Array.from({ length: 30 }, (_, time) => ({
    metric: 'milk_yield_increment',
    time,
    value: 0.103,
  }));
  assert.equal(addPoints({}, tenths)['milk_yield_increment']?.sum, 3.09);
});

test('the mean of nothing is nothing', () => {
  assert.equal(mean(undefined), undefined);
  assert.equal(
    mean(
      addPoints(
        {},
        [1, 2, 6].map((value) => ({ metric: 'x', time: value, value })),
      )['x'],
    ),
    3,
  );
});
