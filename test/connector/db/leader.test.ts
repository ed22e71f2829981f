// A leader that freezes: whatever its transactions were at, the next one leads, and nothing of the old term commits.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { pino } from 'pino';
import { contend, type Leadership } from '../../../connector/db/leader.ts';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { eventually } from '../../support/connector.ts';
import { createDatabase } from '../../support/stack.ts';

const logger = pino({ level: 'silent' });

describe('a leader that freezes', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let db: Db;
  before(async () => {
    database = await createDatabase();
    db = openPool(database.url, 2, logger);
    await migrate(db, logger);
    await db.query('CREATE TABLE iot.copied (value int)');
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  const enter = (holder: string): Leadership =>
    contend(
      { url: database.url, name: 'mqtt:test', holder },
      { onLead: () => undefined, onLost: () => undefined, onOusted: () => undefined },
      logger,
    );

  /** A connection in a transaction that proved `leader`'s term, as a batch has it. */
  async function batchOf(leader: Leadership): Promise<{ client: Client; ended: () => boolean }> {
    const client = new Client({ connectionString: database.url });
    let ended = false;
    client.on('error', () => (ended = true));
    client.on('end', () => (ended = true));
    await client.connect();
    await client.query('BEGIN');
    leader.fence.check((await client.query(leader.fence.sql())).rowCount ?? 0);
    return { client, ended: () => ended };
  }

  for (const [where, freeze] of [
    ['between two statements', (client: Client) => client.query('INSERT INTO iot.copied VALUES (1)')],
    [
      'in the middle of a COPY',
      (client: Client) =>
        new Promise<void>((resolve) => {
          const copy = client.query(copyFrom('COPY iot.copied FROM STDIN'));
          copy.on('error', () => undefined);
          copy.write('1\n', () => resolve());
        }),
    ],
  ] as const)
    test(where, async (t) => {
      const old = enter('old');
      t.after(() => old.stop());
      await eventually('the old one leads', () => Promise.resolve(old.leads()));
      const batch = await batchOf(old);
      t.after(() => batch.client.end().catch(() => undefined));
      await freeze(batch.client);
      await old.stop();
      const next = enter('next');
      t.after(() => next.stop());
      await eventually('the next one leads', () => Promise.resolve(next.leads()));
      await eventually('the batch of the old term is ended', () => Promise.resolve(batch.ended()));
      assert.deepEqual((await db.query('SELECT value FROM iot.copied')).rows, []);
    });
});
