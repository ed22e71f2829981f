// Memory by device has an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../../../connector/quality/bounded.ts';

test('the first is forgotten for one more; a known one costs nobody its place', () => {
  const map = new Map<string, number>();
  for (const [index, device] of ['a', 'b', 'c', 'b', 'd'].entries()) remember(map, device, index, 3);
  assert.deepEqual(
    [...map],
    [
      ['b', 3],
      ['c', 2],
      ['d', 4],
    ],
  );
});
