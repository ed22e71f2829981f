// The size of calls: shrinks where a call is too much, and what was too much is not found out again with each doubling.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBatchSize } from '../../../connector/outbox/batch-size.ts';

/** Sends `calls` batches to a proxy that takes `limit` records; how many it refused. */
function refusals(size: ReturnType<typeof createBatchSize>, limit: number, calls: number): number {
  let refused = 0;
  for (let call = 0; call < calls; call++) {
    const records = size.current();
    if (records <= limit) size.onSuccess(records);
    else {
      refused += 1;
      size.onTooMuch(records);
    }
  }
  return refused;
}

test('batches stay between one and the maximum', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(fc.boolean()), (max, outcomes) => {
      const size = createBatchSize(max);
      for (const isGood of outcomes) {
        if (isGood) size.onSuccess(size.current());
        else size.onTooMuch(size.current());
        assert.ok(size.current() >= 1 && size.current() <= max);
      }
    }),
  );
});

test("a proxy's limit is learned: refused on the way down, and not again", () => {
  const size = createBatchSize(1_000);
  assert.equal(refusals(size, 60, 5), 5);
  assert.equal(size.current(), 31);
  assert.equal(refusals(size, 60, 400), 0);
});

test('calls that are not full prove nothing, and a late refusal of a larger call unlearns nothing', () => {
  const size = createBatchSize(1_000);
  refusals(size, 60, 10);
  for (let call = 0; call < 2_000; call++) size.onSuccess(3);
  size.onTooMuch(1_000);
  assert.equal(size.current(), 31);
  assert.equal(refusals(size, 60, 400), 0);
});

test('a limit that was raised is found out after a while', () => {
  const size = createBatchSize(1_000);
  refusals(size, 60, 10);
  refusals(size, 5_000, 520);
  assert.equal(size.current(), 1_000);
});
