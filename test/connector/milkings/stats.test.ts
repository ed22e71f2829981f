// Statistics of a metric: the same in any order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addPoints, mean, replacePoints, type StatPoint } from '../../../connector/milkings/stats.ts';

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

test('a replaced metric is only what was given last; others stay', () => {
  const old: StatPoint[] = [
    { metric: 'milk_yield', time: 9, value: 50 },
    { metric: 'milk_fat', time: 1, value: 4 },
  ];
  const stats = replacePoints(addPoints({}, old), [{ metric: 'milk_yield', time: 5, value: 10 }]);
  assert.deepEqual(stats['milk_yield'], { n: 1, sum: 10, max: 10, last: 10, lastAt: 5 });
  assert.equal(stats['milk_fat']?.last, 4);
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
