// One row that the database refuses, in a batch of 10,000 messages: one dead letter, everything else stored; mended, it comes in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDimensions } from '../../../connector/db/dimensions.ts';
import { loadDeadLetters } from '../../../connector/db/dead-letters.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { createWriter } from '../../../connector/ingest/writer.ts';
import { loadMetrics } from '../../../contract/runtime/profiles.ts';
import { hourMs, logger, onEachEdition } from '../../timescale/fixture.ts';
import { address, message } from './message-fixture.ts';
import { milkingSettings } from './milking-settings.ts';

const size = 10_000;
const bad = 6_173;

onEachEdition('one bad row in a batch of 10,000', (opened) => {
  test('costs one dead letter, and comes in after the mend', async () => {
    const { db } = opened();
    const write = createWriter({
      db,
      dimensions: await loadDimensions(db, loadMetrics('config/metrics.yaml')),
      unknownDevices: 'discover',
      milkings: milkingSettings,
      voidedStamps: () => [],
      logger,
    });
    const start = Date.now() - hourMs;
    const itemOf = (index: number, deadLetterId?: number): Item => {
      const time = start + index * 100;
      const points = [{ metric: 'temperature', time, value: index / 100, quality: 0 }];
      const data = { at: time, points, rfid: undefined, animalRef: undefined, session: undefined };
      return {
        message: message({
          topic: `dairy/farm1/temperature/t${index % 50}/data`,
          payload: Buffer.from(JSON.stringify({ index })),
          ...(deadLetterId === undefined ? {} : { deadLetterId }),
        }),
        decoded: {
          kind: 'data',
          address: { ...address, deviceType: 'temperature', deviceUid: `t${index % 50}` },
          data: { ...data, stall: undefined, profile: undefined },
        },
        stamp: undefined,
      };
    };
    const facts = async () => {
      const { rows } = await db.query<{ stored: number; letters: number; waiting: number }>(
        `SELECT (SELECT count(*) FROM iot.reading) AS stored, (SELECT count(*) FROM iot.dead_letter) AS letters,
                (SELECT count(*) FROM iot.dead_letter WHERE replayed_at IS NULL) AS waiting`,
      );
      return rows[0];
    };

    // A partition that is made afterwards would lack the constraint.
    await db.query(
      `SELECT iot.prepare_days(ARRAY[(now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date])`,
    );
    await db.query(`ALTER TABLE iot.reading ADD CONSTRAINT no_such_value CHECK (value <> ${bad / 100})`);
    const result = await write(Array.from({ length: size }, (_, index) => itemOf(index)));
    assert.deepEqual([result.readings, result.deadLetters], [size - 1, 1]);
    assert.equal(result.outcomes.length, size);
    assert.deepEqual(
      result.outcomes.flatMap(({ kind }, index) => (kind === 'dead' ? [index] : [])),
      [bad],
    );
    assert.deepEqual(await facts(), { stored: size - 1, letters: 1, waiting: 1 });
    const [letter] = await loadDeadLetters(db, { state: 'waiting' }, 10);
    assert.equal(letter?.payload.toString(), JSON.stringify({ index: bad }));

    const early = await write([itemOf(bad, letter.id)]);
    assert.equal(early.outcomes[0]?.kind, 'dead');
    assert.deepEqual(await facts(), { stored: size - 1, letters: 1, waiting: 1 });
    await db.query('ALTER TABLE iot.reading DROP CONSTRAINT no_such_value');
    await write([itemOf(bad, letter.id)]);
    assert.deepEqual(await facts(), { stored: size, letters: 1, waiting: 0 });
  });
});
