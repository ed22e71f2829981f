// Errors of the server that a message may or may not have caused: one bad message never stops the intake for ever, and a
// server that lacks a right never turns good messages into dead letters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDimensions } from '../../../connector/db/dimensions.ts';
import type { Db } from '../../../connector/db/pool.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { createWriter } from '../../../connector/ingest/writer.ts';
import { loadMetrics } from '../../../contract/runtime/profiles.ts';
import { hourMs, logger, onEachEdition } from '../../timescale/fixture.ts';
import { address, dataItem } from './message-fixture.ts';

const start = Date.now() - hourMs;
/** Each value has a moment of its own. */
const itemOf = (value: number): Item => {
  const time = start + value;
  const item = dataItem([['temperature', time, value]], { at: time });
  const decoded = { ...item.decoded, address: { ...address, deviceType: 'temperature', deviceUid: 't1' } };
  return { ...item, decoded: decoded as Item['decoded'] };
};

const writerOn = async (db: Db) =>
  createWriter({
    db,
    dimensions: await loadDimensions(db, loadMetrics('config/metrics.yaml')),
    unknownDevices: 'discover',
    milkings: {} as never,
    voidedStamps: () => [],
    logger,
  });

/** Lets every insert of the value 3 (or any) fail with an SQLSTATE. */
async function failWith(db: Db, sqlState: string, condition: string): Promise<void> {
  await db.query(
    `CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN IF ${condition} THEN RAISE EXCEPTION 'said by the test' USING ERRCODE = '${sqlState}'; END IF; RETURN NEW; END $$`,
  );
  await db.query(
    'CREATE TRIGGER fail BEFORE INSERT ON iot.reading FOR EACH ROW EXECUTE FUNCTION public.fail()',
  );
}
const heal = (db: Db) => db.query('DROP FUNCTION public.fail CASCADE');

async function counts(db: Db) {
  const { rows } = await db.query<{ readings: number; letters: number }>(
    'SELECT (SELECT count(*) FROM iot.reading) AS readings, (SELECT count(*) FROM iot.dead_letter) AS letters',
  );
  return rows[0];
}

onEachEdition('errors of the server', (opened) => {
  test('a message that makes a function fail is alone with its dead letter, after patience', async () => {
    const { db } = opened();
    const write = await writerOn(db);
    const items = [1, 2, 3, 4, 5].map(itemOf);
    await write([itemOf(0)]);
    await failWith(db, 'P0001', 'NEW.value = 3');
    for (const failures of [0, 1, 2])
      await assert.rejects(write(items, 'b', failures), { kind: 'transient' });
    assert.deepEqual(await counts(db), { readings: 1, letters: 0 });
    const { outcomes } = await write(items, 'b', 3);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['stored', 'stored', 'dead', 'stored', 'stored'],
    );
    assert.deepEqual(await counts(db), { readings: 5, letters: 1 });
    await heal(db);
  });

  test('a missing right, a full disk or a lock never make a dead letter, however long they last', async () => {
    const { db } = opened();
    const write = await writerOn(db);
    const before = await counts(db);
    for (const [sqlState, kind] of [
      ['42501', 'denied'],
      ['42P01', 'bug'],
      ['53100', 'transient'],
      ['55P03', 'transient'],
      ['40001', 'transient'],
    ] as const) {
      await failWith(db, sqlState, 'true');
      await assert.rejects(write([6, 7].map(itemOf), 'b', 50), { kind }, sqlState);
      await heal(db);
    }
    assert.deepEqual(await counts(db), before);
    await write([6, 7].map(itemOf));
  });
});
