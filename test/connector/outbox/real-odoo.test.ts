// The worker from a real outbox into a real Odoo: through losses, repetition and a revoked key, each milking once.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import type { OdooClient } from '../../../connector/odoo/transport.ts';
import { createOutboxWorker } from '../../../connector/outbox/worker.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../../support/stack.ts';
import { startFakeOdoo, type Behaviour } from '../odoo/fake-odoo.ts';
import { allSent, logger, openOutboxDatabase, put, until, type OutboxDatabase } from './fixture.ts';
import { milkSession } from './records.ts';

const options = {
  pollMs: 50,
  waits: { target: { baseMs: 50, capMs: 200 }, record: { baseMs: 50, capMs: 200 }, probeMs: 200 },
};

describe('worker into real Odoo', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let database: OutboxDatabase;
  before(async () => {
    [odoo, database] = await Promise.all([odooDatabase(), openOutboxDatabase()]);
  });
  after(() => Promise.all([odoo.drop(), database.close()]));
  beforeEach(() => database.db.query('TRUNCATE iot.outbox'));

  const connect = (url = odoo.url, timeoutMs = 30_000) =>
    createOdooClient({
      url,
      database: odoo.db,
      login: 'smart_dairy_connector',
      apiKey: odoo.apiKey,
      transport: 'json2',
      timeoutMs,
    });
  const admin = () =>
    createOdooClient({
      url: odoo.url,
      database: odoo.db,
      login: odoo.login,
      apiKey: odoo.password,
      transport: 'jsonrpc',
    });
  const milkings = (name: string, count: number, revision = 1) =>
    Array.from({ length: count }, (_, index) => ({
      kind: 'milk_session',
      sourceId: `${name}/${index}`,
      revision,
      payload: milkSession({ yield_kg: revision }),
    }));
  const count = (name: string, extra: unknown[] = []) =>
    admin().call('iot.milk.session', 'search_count', {
      domain: [['source_id', '=like', `${name}/%`], ...extra],
    });

  async function withWorker(
    client: OdooClient,
    work: (worker: ReturnType<typeof createOutboxWorker>) => Promise<void>,
  ): Promise<void> {
    const worker = createOutboxWorker({ db: database.db, client, logger, options });
    worker.start();
    try {
      await work(worker);
    } finally {
      await worker.stop();
    }
  }

  /** Passes requests on to the real Odoo. */
  const forward: Behaviour = async (request, response) => {
    const answer = await fetch(`${odoo.url}${request.path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: request.headers['authorization'] ?? '',
        'x-odoo-database': odoo.db,
      },
      body: request.body,
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };

  test('2,000 milkings arrive, and a second revision updates them', async (context) => {
    await put(database.db, milkings('many', 2_000));
    await withWorker(connect(), async () => {
      const started = performance.now();
      await until(allSent(database.db));
      const seconds = (performance.now() - started) / 1000;
      context.diagnostic(`${Math.round(2_000 / seconds)} milkings/s into Odoo 19`);
      await put(database.db, milkings('many', 100, 2));
      await until(allSent(database.db));
    });
    assert.equal(await count('many'), 2_000);
    assert.equal(await count('many', [['yield_kg', '=', 2]]), 100);
  });

  test('answers lost after Odoo’s commit, half-open connections and 502s: each milking is there once', async () => {
    let sequence = 0;
    const proxy = await startFakeOdoo(async (request, response) => {
      // Empty batches only ask whether all is well; the faults are for records.
      const dice = request.body.includes('"records":[]') ? 0 : ++sequence % 4;
      if (dice === 1) {
        response.writeHead(502).end('<html>Bad Gateway</html>');
      } else if (dice === 2) {
        // The real Odoo commits; its answer goes nowhere and the caller runs into its timeout.
        await fetch(`${odoo.url}${request.path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: request.headers['authorization'] ?? '',
            'x-odoo-database': odoo.db,
          },
          body: request.body,
        });
      } else if (dice === 3) {
        response.destroy();
      } else await forward(request, response);
    });
    try {
      await put(database.db, milkings('lost', 300));
      await withWorker(connect(proxy.url, 1_000), () => until(allSent(database.db)));
    } finally {
      await proxy.close();
    }
    assert.equal(await count('lost'), 300);
    const { rows } = await database.db.query(
      'SELECT count(*) AS known FROM iot.outbox WHERE odoo_id IS NOT NULL',
    );
    assert.deepEqual(rows, [{ known: 300 }]);
  });

  test('a record that Odoo refuses is parked with Odoo’s words, its neighbours arrive', async () => {
    const [bad, ...good] = milkings('refused', 20);
    assert.ok(bad);
    await put(database.db, [{ ...bad, payload: milkSession({ yield_kg: -1 }) }, ...good]);
    await withWorker(connect(), () =>
      until(async () => {
        const { rows } = await database.db.query(`SELECT 1 FROM iot.outbox WHERE state = 'pending'`);
        return rows.length === 0;
      }),
    );
    const { rows } = await database.db.query<{ last_error: string }>(
      `SELECT last_error FROM iot.outbox WHERE state = 'parked'`,
    );
    assert.equal(rows.length, 1);
    assert.match(rows[0]?.last_error ?? '', /is negative/);
    assert.equal(await count('refused'), 19);
  });

  test('key revoked: records wait and the status says why; given back: everything arrives, once', async () => {
    const [user] = (await admin().call('res.users', 'search', {
      domain: [['login', '=', 'smart_dairy_connector']],
    })) as number[];
    const setActive = (active: boolean) =>
      admin().call('res.users', 'write', { ids: [user], vals: { active } });
    await withWorker(connect(), async (worker) => {
      await until(() => worker.status().state === 'ok');
      await setActive(false);
      await put(database.db, milkings('revoked', 50));
      await until(() => worker.status().state === 'denied');
      assert.match(worker.status().detail, /ODOO_API_KEY/);
      await setActive(true);
      await until(allSent(database.db));
      await until(() => worker.status().state === 'ok');
    });
    assert.equal(await count('revoked'), 50);
  });
});
