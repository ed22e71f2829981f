// Checking what comes over a network never throws, also where zod's own checks do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeSchema } from '../../contract/envelope.ts';
import { safeParse } from '../../contract/safe-parse.ts';
import { statusSchema } from '../../contract/status.ts';

test('a length that is no number is no valid value', () => {
  const trap = { length: { toString: 1 } };
  // Found by a million statuses. Should zod ever answer here, the wrapper may go.
  assert.throws(() => statusSchema.safeParse({ state: 'offline', detail: trap }), TypeError);
  assert.equal(safeParse(statusSchema, { state: 'offline', detail: trap }).success, false);
  const refused = safeParse(envelopeSchema, { v: 1, at: 1, points: trap });
  assert.equal(refused.error?.issues[0]?.message, 'holds a value that no check can read');
});

test('everything else is what zod finds, in our words', () => {
  assert.deepEqual(safeParse(statusSchema, { state: 'online' }), {
    success: true,
    data: { state: 'online' },
  });
  const [ours] = safeParse(statusSchema, { state: 'on' }).error?.issues ?? [];
  const [theirs] = statusSchema.safeParse({ state: 'on' }).error?.issues ?? [];
  assert.deepEqual(ours, { ...theirs, message: "expected one of 'online', 'degraded', 'offline'" });
});
