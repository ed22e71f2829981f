// One bad message is one dead letter: redelivered after a crash between commit and acknowledgement, in the same batch or a later one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertDeadLetters, loadDeadLetters } from '../../../connector/db/dead-letters.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { deadLettersOf } from '../../../connector/ingest/rows.ts';
import { onEachEdition } from '../../timescale/fixture.ts';
import { message, t0 } from './message-fixture.ts';

const bad = (changes: Parameters<typeof message>[0] = {}): Item => ({
  message: message({ payload: Buffer.from('{'), origin: 'c:1', ...changes }),
  decoded: { kind: 'dead', reason: 'not JSON' },
  stamp: undefined,
});
const outcome = { kind: 'dead', reason: 'not JSON' } as const;

onEachEdition('dead letters of redelivered messages', (opened) => {
  test('one message is one dead letter, whatever is delivered how often; other messages are others', async () => {
    const { db } = opened();
    const letters = () => loadDeadLetters(db, { state: 'all' }, 100);
    const write = (...items: Item[]) =>
      insertDeadLetters(
        db,
        deadLettersOf(
          items,
          items.map(() => outcome),
        ),
      );
    await write(bad());
    await write(bad({ redelivered: true, arrivedAt: t0 + 90_000 }), bad({ redelivered: true }));
    assert.deepEqual(
      (await letters()).map(({ receivedAt }) => receivedAt.getTime()),
      [t0],
      'it keeps the moment of its first arrival',
    );
    // Marked as redelivered, but never committed before: another id, other bytes, another topic.
    await write(
      bad({ redelivered: true, origin: 'c:2' }),
      bad({ redelivered: true, payload: Buffer.from('{{') }),
      bad({ redelivered: true, topic: 'dairy/farm1/milk_meter/m2/data' }),
    );
    assert.equal((await letters()).length, 4);
    // The same bytes once more, and not marked: the device has said it again. Without an origin (REST) too.
    await write(
      bad(),
      bad({ origin: undefined, redelivered: true }),
      bad({ origin: undefined, redelivered: true }),
    );
    assert.equal((await letters()).length, 7);
    await write(bad({ origin: 'c:9' }), bad({ origin: 'c:9', redelivered: true }));
    assert.equal((await letters()).length, 8, 'both in one batch');
  });
});
