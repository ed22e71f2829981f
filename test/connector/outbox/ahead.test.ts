// While Odoo works on a batch, the one before is settled and the next one leased: what then goes wrong, and what must not.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { settleOutbox } from '../../../connector/db/outbox.ts';
import { mappings } from '../../../connector/odoo/mapping/index.ts';
import type { OdooClient } from '../../../connector/odoo/transport.ts';
import { createSupply } from '../../../connector/outbox/supply.ts';
import { createOutboxWorker, type OutboxWorkerConfig } from '../../../connector/outbox/worker.ts';
import {
  allSent,
  createReceiver,
  logger,
  openOutboxDatabase,
  put,
  states,
  until,
  type OutboxDatabase,
} from './fixture.ts';
import { milkSession } from './records.ts';

let database: OutboxDatabase;
before(async () => {
  database = await openOutboxDatabase();
});
after(() => database.close());
beforeEach(() => database.db.query('TRUNCATE iot.outbox'));

// One lane, and two records a call: what happens when is then in the test's hands.
const kinds = { milk_session: { ...mappings.milk_session, callsAtOnce: 1 } };
const options = {
  batchSize: 2,
  pollMs: 20,
  leaseMs: 60_000,
  stopGraceMs: 50,
  waits: { target: { baseMs: 10, capMs: 40 }, record: { baseMs: 10, capMs: 40 }, probeMs: 30_000 },
};

/** A receiver whose calls with records wait for the test, and what the test does with them. */
function createSlowReceiver() {
  const receiver = createReceiver();
  const gates: (() => void)[] = [];
  let open = false;
  const client: OdooClient = {
    ...receiver.client,
    async call(model, method, args, signal) {
      if ((args['records'] as unknown[]).length > 0 && !open) {
        const gate = Promise.withResolvers<undefined>();
        gates.push(() => gate.resolve(undefined));
        signal?.addEventListener('abort', () => gate.resolve(undefined));
        await gate.promise;
      }
      return receiver.client.call(model, method, args, signal);
    },
  };
  return {
    ...receiver,
    client,
    /** Waits until call number `n` (from 1) is with Odoo. */
    reached: (n: number) => until(() => gates.length >= n),
    answer: (n: number) => gates[n - 1]?.(),
    answerAll() {
      open = true;
      for (const gate of gates) gate();
    },
  };
}

const milkings = (ids: readonly number[], revision = 1) =>
  ids.map((id) => ({ kind: 'milk_session', sourceId: String(id), revision, payload: milkSession() }));

const leased = async (): Promise<string[]> => {
  const { rows } = await database.db.query<{ source_id: string }>(
    'SELECT source_id FROM iot.outbox WHERE leased_until > now() ORDER BY source_id',
  );
  return rows.map(({ source_id }) => source_id);
};

function startWorker(client: OdooClient, config: Partial<OutboxWorkerConfig> = {}) {
  const worker = createOutboxWorker({ db: database.db, client, kinds, logger, options, ...config });
  worker.start();
  return worker;
}

test('while Odoo works on the second batch, the first is settled and the third is leased', async () => {
  const odoo = createSlowReceiver();
  await put(database.db, milkings([1, 2, 3, 4, 5, 6, 7]));
  const worker = startWorker(odoo.client);
  try {
    await odoo.reached(1);
    await until(async () => (await leased()).join() === '1,2,3,4');
    odoo.answer(1);
    await odoo.reached(2);
    await until(async () => (await leased()).join() === '3,4,5,6');
    assert.equal((await states(database.db))['2'], 'sent');
    odoo.answerAll();
    await until(allSent(database.db));
  } finally {
    odoo.answerAll();
    await worker.stop();
  }
  assert.equal(odoo.calls.filter(({ size }) => size > 0).length, 4);
  assert.equal(odoo.writes.length, 7);
});

test('a stop gives back what was leased ahead, and settles what Odoo has taken', async () => {
  const odoo = createSlowReceiver();
  await put(database.db, milkings([1, 2, 3, 4, 5, 6]));
  const worker = startWorker(odoo.client);
  await odoo.reached(1);
  odoo.answer(1);
  await odoo.reached(2);
  await until(async () => (await leased()).join() === '3,4,5,6');
  await worker.stop();
  assert.deepEqual(await leased(), []);
  const after = await states(database.db);
  assert.deepEqual(
    Object.keys(after).filter((id) => after[id] === 'sent'),
    [...odoo.kept.keys()].map((key) => key.split(' ')[1]),
  );
});

test('a newer revision of a record that is leased ahead: Odoo gets both, in order', async () => {
  const odoo = createSlowReceiver();
  await put(database.db, milkings([1, 2, 3, 4]));
  const worker = startWorker(odoo.client);
  try {
    await odoo.reached(1);
    await until(async () => (await leased()).join() === '1,2,3,4');
    await put(database.db, milkings([2, 3], 2));
    // Still leased, the newer revision as well: nobody else may overtake.
    assert.deepEqual(await leased(), ['1', '2', '3', '4']);
    odoo.answerAll();
    await until(allSent(database.db));
  } finally {
    odoo.answerAll();
    await worker.stop();
  }
  for (const [id, expected] of [
    ['1', [1]],
    ['2', [1, 2]],
    ['3', [1, 2]],
    ['4', [1]],
  ] as const) {
    const written = odoo.writes.filter(({ key }) => key.endsWith(` ${id}`)).map(({ revision }) => revision);
    assert.deepEqual(written, expected, id);
  }
});

test('what Odoo has taken but nobody could settle is sent again after its lease, and written once', async () => {
  const odoo = createReceiver();
  let failing = true;
  const db = {
    query: ((...args: Parameters<typeof database.db.query>) =>
      failing && JSON.stringify(args).includes('"sent"')
        ? Promise.reject(new Error('the connection is lost'))
        : database.db.query(...args)) as typeof database.db.query,
  };
  const ids = Array.from({ length: 40 }, (_, index) => index);
  await put(database.db, milkings(ids));
  const worker = startWorker(odoo.client, { db, options: { ...options, leaseMs: 200 } });
  try {
    await until(() => odoo.calls.filter(({ size }) => size > 0).length >= 4);
    failing = false;
    await until(allSent(database.db));
  } finally {
    await worker.stop();
  }
  const sent = odoo.calls.reduce((sum, { size }) => sum + size, 0);
  assert.ok(sent > ids.length, 'some were sent again');
  assert.equal(odoo.writes.length, ids.length);
});

test('Odoo fails while a batch is leased ahead: it is given back at once', async () => {
  const odoo = createSlowReceiver();
  await put(database.db, milkings([1, 2, 3, 4]));
  const waits = { ...options.waits, target: { baseMs: 60_000, capMs: 60_000 } };
  const worker = startWorker(odoo.client, { options: { ...options, waits } });
  try {
    await odoo.reached(1);
    await until(async () => (await leased()).length === 4);
    odoo.misbehave(() => {
      throw new Error('not what anybody expects');
    });
    odoo.answer(1);
    await until(async () => (await leased()).length === 0);
  } finally {
    await worker.stop();
  }
  assert.deepEqual([...new Set(Object.values(await states(database.db)))], ['pending']);
});

test('a batch that waited for half its lease is given back instead of sent', async () => {
  await put(database.db, milkings([1, 2, 3]));
  const supply = createSupply(database.db, 'milk_session', mappings.milk_session, 600, async (rows) => {
    await settleOutbox(
      database.db,
      rows.map((row) => ({ row, settlement: { outcome: 'released' } })),
    );
  });
  supply.leaseAhead(2);
  assert.equal((await supply.takeAhead())?.rows.length, 2);
  supply.leaseAhead(2);
  await delay(350);
  assert.equal(await supply.takeAhead(), undefined);
  assert.deepEqual(await leased(), ['1', '2'], 'those of the first batch');
  assert.equal(await supply.takeAhead(), undefined);
});
