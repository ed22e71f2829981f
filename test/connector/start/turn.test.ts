// Turns of several connectors on the real database: one has it, and when it goes the next one does.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { queueUp, type Turn } from '../../../connector/start/standby.ts';
import { eventually } from '../../support/connector.ts';
import { createDatabase, noBroker } from '../../support/stack.ts';

const logger = pino({ level: 'silent' });

describe('turns', { skip: noBroker() }, () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let db: Db;
  before(async () => {
    database = await createDatabase();
    db = openPool(database.url, 2, logger);
    await migrate(db, logger);
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  test('one has it; whoever had it may queue up again', async () => {
    const began: string[] = [];
    const enter = (name: string, work = 'work'): Turn => {
      const turn = queueUp({ url: database.url, name: work }, () => void began.push(name), logger);
      turn.start();
      return turn;
    };
    const first = enter('first');
    await eventually('the first has it', () => Promise.resolve(first.isMine()));
    const second = enter('second');
    const other = enter('other', 'other');
    await eventually('other work has a turn of its own', () => Promise.resolve(other.isMine()));
    assert.deepEqual([first.isMine(), second.isMine()], [true, false]);
    await first.stop();
    await eventually('the second has it', () => Promise.resolve(second.isMine()));
    const third = enter('third');
    // As if the network had cut the second one off: its connection goes, and the third is faster.
    await db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'smart-dairy-leader' AND datname = current_database()
         AND pid = (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
                      AND objid = hashtext('work')::bigint & 4294967295 LIMIT 1)`,
    );
    await eventually('one of them has it', () =>
      Promise.resolve([second, third].filter((turn) => turn.isMine()).length === 1 && began.length >= 4),
    );
    const [loser] = [second, third].filter((turn) => !turn.isMine());
    await [second, third].find((turn) => turn.isMine())?.stop();
    await eventually('the other after it, though it may have had it before', () =>
      Promise.resolve(loser?.isMine() === true),
    );
    assert.deepEqual(began.slice(0, 3), ['first', 'other', 'second']);
    await Promise.all([second, third, other].map((turn) => turn.stop()));
  });
});
