// kill -9 at any moment: after restarts every record is at the receiver, written once.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { json, startFakeOdoo, type FakeOdoo } from '../odoo/fake-odoo.ts';
import { allSent, createReceiver, openOutboxDatabase, put, until, type OutboxDatabase } from './fixture.ts';
import { milkSession } from './records.ts';

let database: OutboxDatabase;
let odoo: FakeOdoo;
const receiver = createReceiver();
before(async () => {
  [database, odoo] = await Promise.all([openOutboxDatabase(), startFakeOdoo()]);
  odoo.behave(async (request, response) => {
    const model = request.path.split('/')[3] ?? '';
    const answer = await receiver.client.call(
      model,
      'upsert_batch',
      JSON.parse(request.body) as Record<string, unknown>,
    );
    // The commit is done, the answer on its way: the most delicate moment to be killed in.
    await delay(10);
    await json(200, answer)(request, response);
  });
});
after(() => Promise.all([database.close(), odoo.close()]));

async function startWorker(): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'worker-process.ts');
  const child = spawn(process.execPath, [script, database.url, odoo.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

test('a worker that is killed again and again', async (context) => {
  const total = 3_000;
  const rows = Array.from({ length: total }, (_, index) => ({
    kind: 'milk_session',
    sourceId: `killed/${index}`,
    payload: milkSession(),
  }));
  await put(database.db, rows);
  for (let round = 0; round < 4; round++) {
    const before = receiver.writes.length;
    const child = await startWorker();
    try {
      await until(() => receiver.writes.length > before);
      await delay(5 * round);
    } finally {
      await kill(child);
    }
  }
  const last = await startWorker();
  try {
    await until(allSent(database.db));
  } finally {
    await kill(last);
  }
  assert.equal(receiver.writes.length, total);
  assert.equal(receiver.kept.size, total);
  const sent = receiver.calls.reduce((sum, { size }) => sum + size, 0);
  context.diagnostic(
    `${sent - total} of ${total} records were sent again after a kill, none was written again`,
  );
});
