// Moments as parameters: what says no offset is the farm's time, also where its clocks are set forward and back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { setTimezone } from '../../../connector/db/storage.ts';
import { momentSchema, spanIn } from '../../../connector/rest/moments.ts';
import { createDatabase, type TestDatabase } from '../../support/stack.ts';
import { logger } from '../../timescale/fixture.ts';

describe('moments of queries', () => {
  let database: TestDatabase;
  let db: Db;
  before(async () => {
    database = await createDatabase();
    db = openPool(database.url, 2, logger);
    await migrate(db, logger, 'auto');
    await setTimezone(db, 'Asia/Dhaka');
    await db.query(
      `INSERT INTO iot.farm (code, name, timezone) VALUES ('dhaka', 'D', NULL), ('berlin', 'B', 'Europe/Berlin')`,
    );
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  const startOf = async (text: string, farm?: string) => {
    const { start } = await spanIn(db, { start: momentSchema.parse(text) }, farm);
    return start?.toISOString();
  };

  test('an offset counts; without one it is local time, and a date is its midnight', async () => {
    for (const [text, utc] of [
      ['2026-11-01T06:00:00Z', '2026-11-01T06:00:00.000Z'],
      ['2026-11-01T06:00:00+02:00', '2026-11-01T04:00:00.000Z'],
      ['2026-11-01T06:00:00.250', '2026-11-01T00:00:00.250Z'],
      ['2026-11-01T06:00', '2026-11-01T00:00:00.000Z'],
      ['2026-11-01', '2026-10-31T18:00:00.000Z'],
    ] as const)
      assert.equal(await startOf(text, 'dhaka'), utc, text);
    for (const text of ['yesterday', '2026-11-31', '2026-11-01 06:00', ''])
      assert.throws(() => momentSchema.parse(text), text);
  });

  test('each farm has its own zone, in summer and winter; one that nobody knows has the connector’s', async () => {
    assert.equal(await startOf('2026-07-01', 'berlin'), '2026-06-30T22:00:00.000Z');
    assert.equal(await startOf('2026-12-01', 'berlin'), '2026-11-30T23:00:00.000Z');
    assert.equal(await startOf('2026-12-01', 'nowhere'), '2026-11-30T18:00:00.000Z');
  });

  test('of all farms at once a time without offset is a question, as long as they have several zones', async () => {
    await assert.rejects(
      startOf('2026-11-01'),
      /^HttpError: start: has no UTC offset, and farms are in Asia\/Dhaka, Europe\/Berlin: add one, or name the farm$/,
    );
    assert.equal(await startOf('2026-11-01T00:00:00Z'), '2026-11-01T00:00:00.000Z');
    await db.query(`UPDATE iot.farm SET active = false WHERE code = 'berlin'`);
    assert.equal(await startOf('2026-11-01'), '2026-10-31T18:00:00.000Z');
  });

  test('a start after the end is refused', async () => {
    const span = { start: momentSchema.parse('2026-11-02'), end: momentSchema.parse('2026-11-01') };
    await assert.rejects(spanIn(db, span, 'dhaka'), /start: is after end/);
  });
});
