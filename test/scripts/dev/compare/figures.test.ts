// Comparing figures of two versions: round by round, and in the direction that the unit tells.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareFigures } from '../../../../scripts/dev/compare/figures.ts';

const round = (messages_per_s: number, p99_ms: number, more: object = {}) => ({
  messages_per_s,
  p99_ms,
  bench: 'x',
  cores: 2,
  ...more,
});

test('medians, and a gain above 1 for the better version', () => {
  const before = [round(100, 10), round(120, 8)];
  const after = [round(50, 20, { new_ms: 1 }), round(120, 16)];
  assert.deepEqual(compareFigures(before, after), {
    messages_per_s: { before: 110, after: 85, gain: 0.75, gains: [0.5, 1] },
    p99_ms: { before: 9, after: 18, gain: 0.5, gains: [0.5, 0.5] },
  });
});

test('one round on a machine in another mood decides nothing', () => {
  const { messages_per_s } = compareFigures(
    [round(900, 1), round(100, 1), round(50, 1)],
    [round(100, 1), round(100, 1), round(50, 1)],
  );
  assert.deepEqual(messages_per_s, { before: 100, after: 100, gain: 1, gains: [0.111, 1, 1] });
});
