// Odoo stops and comes back while records wait in the outbox.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import { createOutboxWorker } from '../../../connector/outbox/worker.ts';
import { noOdoo, odooDatabase, startOdoo, stopOdoo, type TestOdoo } from '../../support/stack.ts';
import { allSent, logger, openOutboxDatabase, put, states, until, type OutboxDatabase } from './fixture.ts';
import { milkSession } from './records.ts';

describe('Odoo is stopped', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let database: OutboxDatabase;
  before(async () => {
    [odoo, database] = await Promise.all([odooDatabase(), openOutboxDatabase()]);
  });
  after(() => Promise.all([odoo.drop(), database.close()]));

  test('records wait, the status says so, and everything arrives once after its return', async () => {
    const client = (login: string, apiKey: string, transport: 'auto' | 'jsonrpc') =>
      createOdooClient({ url: odoo.url, database: odoo.db, login, apiKey, transport });
    const worker = createOutboxWorker({
      db: database.db,
      client: client('smart_dairy_connector', odoo.apiKey, 'auto'),
      logger,
      options: {
        pollMs: 50,
        waits: { target: { baseMs: 50, capMs: 500 }, record: { baseMs: 50, capMs: 500 }, probeMs: 500 },
      },
    });
    worker.start();
    try {
      await until(() => worker.status().state === 'ok');
      await stopOdoo();
      try {
        const rows = Array.from({ length: 700 }, (_, index) => ({
          kind: 'milk_session',
          sourceId: `waits/${index}`,
          payload: milkSession(),
        }));
        await put(database.db, rows);
        await until(() => worker.status().state === 'unreachable');
        assert.match(worker.status().detail, /cannot be reached/);
        assert.deepEqual([...new Set(Object.values(await states(database.db)))], ['pending']);
      } finally {
        await startOdoo();
      }
      await until(allSent(database.db));
    } finally {
      await worker.stop();
    }
    const admin = client(odoo.login, odoo.password, 'jsonrpc');
    const domain = [['source_id', '=like', 'waits/%']];
    assert.equal(await admin.call('iot.milk.session', 'search_count', { domain }), 700);
  });
});
