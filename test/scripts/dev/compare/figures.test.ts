// Comparing figures of two versions: best of the rounds, and the direction that the unit tells.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareFigures } from '../../../../scripts/dev/compare/figures.ts';

test('the best of the rounds, and a gain above 1 for the better version', () => {
  const before = [
    { messages_per_s: 100, p99_ms: 10, bench: 'x', cores: 2 },
    { messages_per_s: 120, p99_ms: 8, bench: 'x', cores: 2 },
  ];
  const after = [{ messages_per_s: 114, p99_ms: 16, bench: 'x', cores: 2, new_ms: 1 }];
  assert.deepEqual(compareFigures(before, after), {
    messages_per_s: { before: 120, after: 114, gain: 0.95 },
    p99_ms: { before: 8, after: 16, gain: 0.5 },
  });
});
