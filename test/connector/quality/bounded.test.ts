// Memory by device has an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../../../connector/quality/bounded.ts';

test('what was put in longest ago is forgotten for one more; what is put in again is the newest', () => {
  const map = new Map<string, number>();
  for (const [index, device] of ['a', 'b', 'c', 'b', 'd'].entries()) remember(map, device, index, 3);
  assert.deepEqual(
    [...map],
    [
      ['c', 2],
      ['b', 3],
      ['d', 4],
    ],
  );
});
