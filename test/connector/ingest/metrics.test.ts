// What a batch adds to the metrics.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../connector/ingest/metrics.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import type { Outcome } from '../../../connector/sources/message.ts';
import { dataItem, message } from './message-fixture.ts';

const stored: Outcome = { kind: 'stored', points: 1, duplicates: new Set() };
const batch = (items: Item[], outcomes: Outcome[]) => ({
  readings: 2,
  duplicates: 1,
  conflicts: 0,
  deadLetters: 1,
  published: [],
  commands: [],
  seen: new Map<number, number>(),
  outcomes,
  items,
});

test('a batch is counted, with its delays and what is odd about it', async () => {
  const metrics = createMetrics(() => ({ messages: 5, bytes: 700 }));
  const now = Date.now();
  const at = (item: Item, arrivedAgoMs: number): Item => ({
    ...item,
    message: message({ arrivedAt: now - arrivedAgoMs }),
  });
  const late = dataItem([['temperature', now - 7_200_000, 4, 0]], { at: now - 7_200_000 });
  const odd = dataItem(
    [
      ['temperature', now, 999, 1],
      ['temperature', now + 1, 4, 3],
      ['temperature', now + 2, 4, 77],
    ],
    { at: now - 1_000 },
  );
  const ahead = dataItem([['temperature', now + 60_000, 4, 0]], { at: now + 60_000 });
  const dead: Item = {
    message: message({ arrivedAt: now }),
    decoded: { kind: 'dead', reason: 'no' },
    stamp: undefined,
  };
  const result = batch(
    [at(late, 20), at(odd, 2_000), at(ahead, 0), dead],
    [stored, { ...stored, points: 3, refused: new Map([[0, 'no']]) }, stored, { kind: 'dead', reason: 'no' }],
  );
  metrics.onBatch(result, result.items, 30);

  const text = await metrics.registry.metrics();
  const value = (name: string) => Number(new RegExp(`^smart_dairy_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.equal(value('messages_total'), 4);
  assert.equal(value('messages_received_total'), 9);
  assert.equal(value('messages_rejected_total'), 2);
  assert.equal(value('dead_letters_total'), 1);
  assert.equal(value('pending_bytes'), 700);
  assert.equal(value('readings_doubtful_total{quality="out_of_range"}'), 1);
  assert.equal(value('readings_doubtful_total{quality="clock"}'), 1);
  assert.equal(value('readings_doubtful_total{quality="other"}'), 1);
  // Two hours late, a second late, and a minute ahead.
  assert.equal(value('device_lag_seconds_count'), 3);
  assert.equal(value('device_lag_seconds_bucket{le="0"}'), 1);
  assert.equal(value('device_lag_seconds_bucket{le="5"}'), 2);
  assert.equal(value('device_lag_seconds_bucket{le="3600"}'), 2);
  assert.equal(value('device_lag_seconds_bucket{le="21600"}'), 3);
  assert.equal(value('commit_latency_seconds_count'), 4);
});

test('of a large batch a sample is looked at', async () => {
  const metrics = createMetrics(() => ({ messages: 0, bytes: 0 }));
  const items = Array.from({ length: 2_000 }, () => dataItem([['temperature', Date.now(), 4]]));
  metrics.onBatch(batch(items, []), items, 30);
  const text = await metrics.registry.metrics();
  const count = Number(/^smart_dairy_device_lag_seconds_count (\d+)$/m.exec(text)?.[1]);
  assert.ok(count >= 32 && count <= 64, String(count));
});
