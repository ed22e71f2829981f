// Values in, quality out: jumps, stuck sensors, late data.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quality } from '../../../contract/envelope.ts';
import { metricSchema } from '../../../contract/metrics.ts';
import { createQualityWatch } from '../../../connector/quality/watch.ts';

const catalogue = new Map([
  [
    'temperature',
    metricSchema.parse({ unit: 'Cel', max_per_minute: 10, stuck_minutes: 60, description: 't' }),
  ],
  ['milk_flow', metricSchema.parse({ unit: 'kg/min', description: 'f' })],
]);
const minute = 60_000;

/** Marks [minute, value, quality?] of one sensor; returns the qualities. */
function marked(values: readonly (readonly [number, number, number?])[], metric = 'temperature'): number[] {
  const watch = createQualityWatch(catalogue);
  return values.map(([at, value, given = quality.good]) => {
    const points = [{ metric, time: at * minute, value, quality: given }];
    watch.mark('farm1/t1', points);
    return points[0]?.quality ?? -1;
  });
}

describe('rate of change', () => {
  test('exactly the limit is good, more is not', () => {
    assert.deepEqual(
      marked([
        [0, 4],
        [1, 14],
        [2, 24.1],
      ]),
      [0, 0, 4],
    );
  });
  test('a step is marked once, a spike up and down', () => {
    assert.deepEqual(
      marked([
        [0, 4],
        [1, 40],
        [2, 40.5],
        [3, 4],
      ]),
      [0, 4, 0, 4],
    );
  });
  test('values more than an hour apart are not compared', () => {
    assert.deepEqual(
      marked([
        [0, 4],
        [61, 99],
      ]),
      [0, 0],
    );
  });
  test('late values are left as they are and do not disturb the next', () => {
    assert.deepEqual(
      marked([
        [10, 4],
        [5, 90],
        [11, 5],
      ]),
      [0, 0, 0],
    );
  });
  test('what is marked already is neither judged nor compared with', () => {
    assert.deepEqual(
      marked([
        [0, 4],
        [1, 999, quality.outOfRange],
        [2, 4.2],
      ]),
      [0, 1, 0],
    );
  });
  test('a metric without limits is not watched', () => {
    assert.deepEqual(
      marked(
        [
          [0, 0],
          [0.01, 19],
        ],
        'milk_flow',
      ),
      [0, 0],
    );
  });
});

describe('stuck sensor', () => {
  test('is marked after the time and at least five values, until it moves', () => {
    const values = [0, 15, 30, 45, 60, 61, 75].map((at) => [at, 4] as const);
    assert.deepEqual(marked([...values, [76, 4.1], [90, 4.1]]), [0, 0, 0, 0, 0, 5, 5, 0, 0]);
  });
  test('a sensor that reports twice a day is not stuck', () => {
    assert.deepEqual(
      marked([
        [0, 4],
        [720, 4],
        [1440, 4],
      ]),
      [0, 0, 0],
    );
  });
});

test('sensors do not disturb each other', () => {
  const watch = createQualityWatch(catalogue);
  const point = (value: number, time: number) => ({ metric: 'temperature', time, value, quality: 0 });
  const [a, b] = [[point(4, 0)], [point(60, 1)]];
  watch.mark('farm1/a', a);
  watch.mark('farm1/b', b);
  assert.deepEqual([a[0]?.quality, b[0]?.quality], [0, 0]);
});
