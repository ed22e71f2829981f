// Offsets of the log: never committed past a message that has not settled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createOffsetTracker } from '../../../connector/sources/kafka-offsets.ts';

test('commits up to the first message that has not settled, each partition by itself', () => {
  const tracker = createOffsetTracker();
  for (const offset of [7n, 8n, 9n]) tracker.delivered(0, offset);
  tracker.delivered(1, 100n);
  assert.deepEqual([...tracker.takeCommittable()], []);
  tracker.settled(0, 8n);
  assert.deepEqual([...tracker.takeCommittable()], []);
  tracker.settled(0, 7n);
  tracker.settled(1, 100n);
  assert.deepEqual(
    [...tracker.takeCommittable()],
    [
      [0, 9n],
      [1, 101n],
    ],
  );
  assert.deepEqual([...tracker.takeCommittable()], [], 'only news');
  tracker.settled(0, 9n);
  assert.deepEqual([...tracker.takeCommittable()], [[0, 10n]]);
});

test('takes gaps in the log, and a partition that is read again from further back', () => {
  const tracker = createOffsetTracker();
  for (const offset of [5n, 9n]) tracker.delivered(0, offset);
  tracker.settled(0, 5n);
  tracker.settled(0, 9n);
  assert.deepEqual([...tracker.takeCommittable()], [[0, 10n]]);
  tracker.delivered(0, 5n);
  tracker.settled(0, 5n);
  assert.deepEqual([...tracker.takeCommittable()], [], 'never backwards');
});

test('whatever the order of settling, the committed offset is that of the first open message', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(Array.from({ length: 40 }, (_, index) => index)), (order) => {
      const tracker = createOffsetTracker();
      for (let offset = 0; offset < 40; offset++) tracker.delivered(0, BigInt(offset));
      const settled = new Set<number>();
      let committed = 0n;
      for (const offset of order) {
        tracker.settled(0, BigInt(offset));
        settled.add(offset);
        committed = tracker.takeCommittable().get(0) ?? committed;
        let first = 0;
        while (settled.has(first)) first += 1;
        assert.equal(committed, BigInt(first));
      }
    }),
  );
});
