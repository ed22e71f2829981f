// The worker on a real outbox, against a receiver that fails in every way: everything arrives, once, in order per record.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { followNews } from '../../../connector/db/listen.ts';
import { outboxNews } from '../../../connector/db/news.ts';
import { leaseOutbox, listParked, retryParked } from '../../../connector/db/outbox.ts';
import { OdooError } from '../../../connector/odoo/errors.ts';
import { mappings } from '../../../connector/odoo/mapping/index.ts';
import type { OdooClient } from '../../../connector/odoo/transport.ts';
import { createOutboxMetrics } from '../../../connector/outbox/metrics.ts';
import { createOutboxWorker, type OutboxWorkerConfig } from '../../../connector/outbox/worker.ts';
import {
  allSent,
  createReceiver,
  logger,
  openOutboxDatabase,
  put,
  refusal,
  states,
  until,
  type OutboxDatabase,
} from './fixture.ts';
import { alert, device, milkSession } from './records.ts';

let database: OutboxDatabase;
before(async () => {
  database = await openOutboxDatabase();
});
after(() => database.close());
beforeEach(() => database.db.query('TRUNCATE iot.outbox'));

const quick = {
  pollMs: 20,
  leaseMs: 2_000,
  stopGraceMs: 50,
  waits: { target: { baseMs: 10, capMs: 40 }, record: { baseMs: 10, capMs: 40 }, probeMs: 30 },
};

/** Runs a worker for the length of a test. */
async function withWorker(
  client: OdooClient | undefined,
  work: (worker: ReturnType<typeof createOutboxWorker>) => Promise<void>,
  config: Partial<OutboxWorkerConfig> = {},
): Promise<void> {
  const worker = createOutboxWorker({ db: database.db, client, logger, options: quick, ...config });
  worker.start();
  try {
    await work(worker);
  } finally {
    await worker.stop();
  }
}

const milkings = (count: number, revision = 1) =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'milk_session',
    sourceId: `farm1/meter_001/${index}`,
    revision,
    payload: milkSession(),
  }));

test('every kind goes to its model in one call, devices first', async () => {
  const receiver = createReceiver();
  const told: string[] = [];
  await put(database.db, [
    { kind: 'alert', sourceId: 'a', payload: alert() },
    ...milkings(3),
    { kind: 'device', sourceId: 'd', payload: device() },
  ]);
  await withWorker(
    receiver.client,
    async (worker) => {
      await until(allSent(database.db));
      assert.equal(worker.status().state, 'ok');
      assert.equal(worker.status().sent, 5);
      assert.ok(worker.status().lastSentAt instanceof Date);
    },
    {
      onResult: (kind, sourceId, { status, odooId }) =>
        told.push(`${kind} ${sourceId} ${status} ${odooId ?? ''}`),
    },
  );
  const calls = receiver.calls.filter(({ size }) => size > 0);
  assert.equal(calls[0]?.model, 'iot.device');
  assert.deepEqual(calls.map(({ model, size }) => `${model} ${size}`).sort(), [
    'iot.alert 1',
    'iot.device 1',
    'iot.milk.session 3',
  ]);
  assert.ok(told.includes('milk_session farm1/meter_001/0 created 1'));
});

test('10,000 records through injected failures: each is written exactly once, in order per record', async () => {
  const receiver = createReceiver();
  const total = 10_000;
  let sequence = 0;
  receiver.misbehave((records, commit) => {
    const dice = ++sequence % 11;
    if (dice === 1) throw new OdooError('unreachable', 'Odoo answered 502');
    if (dice === 3) throw new OdooError('busy', 'could not serialize', { retryAfterMs: 5 });
    if (dice === 5) {
      commit();
      throw new OdooError('overload', 'timeout after commit');
    }
    if (dice === 7) throw new OdooError('crash', 'Odoo failed with KeyError');
    if (dice === 9) {
      const answers = commit();
      // Refused although written: the lie costs a repetition, not a duplicate.
      answers[0] = refusal(records[0]?.source_id ?? '', 'locked', 'transient');
      return answers;
    }
    return commit();
  });
  for (let from = 0; from < total; from += 1_000)
    await put(database.db, milkings(total).slice(from, from + 1_000));
  await withWorker(receiver.client, async () => {
    // Newer revisions come while the older ones are under way.
    for (let revision = 2; revision <= 4; revision++) {
      await delay(60);
      await put(database.db, milkings(500, revision));
    }
    await until(allSent(database.db));
  });
  assert.equal(receiver.kept.size, total);
  const written = new Map<string, number[]>();
  for (const { key, revision } of receiver.writes) {
    written.set(key, [...(written.get(key) ?? []), revision]);
  }
  for (const [key, revisions] of written) {
    assert.deepEqual(revisions, [...new Set(revisions)].sort(), key);
  }
  assert.equal([...receiver.kept.values()].filter((revision) => revision === 4).length, 500);
});

test('two workers share an outbox: each record is still written once', async () => {
  const receiver = createReceiver();
  await put(database.db, milkings(2_000));
  await withWorker(receiver.client, () => withWorker(receiver.client, () => until(allSent(database.db))));
  assert.equal(receiver.writes.length, 2_000);
  const sizes = receiver.calls.reduce((sum, { size }) => sum + size, 0);
  assert.equal(sizes, 2_000, 'not even sent twice');
});

test('what a killed worker had leased is sent after the lease, once', async () => {
  const receiver = createReceiver();
  await put(database.db, milkings(3));
  await leaseOutbox(database.db, { kind: 'milk_session', limit: 2, leaseMs: 300 });
  await withWorker(receiver.client, () => until(allSent(database.db)));
  assert.equal(receiver.writes.length, 3);
});

test('a refused record is parked with its reason, the others of its batch go; retry sends it after all', async () => {
  const receiver = createReceiver();
  receiver.misbehave((records, commit) =>
    commit().map((result, index) =>
      records[index]?.source_id.endsWith('/1') === true
        ? refusal(records[index].source_id, 'the yield cannot be negative', 'validation')
        : result,
    ),
  );
  await put(database.db, milkings(3));
  await withWorker(receiver.client, async () => {
    await until(async () => Object.values(await states(database.db)).every((state) => state !== 'pending'));
    const [parked, ...others] = await listParked(database.db, { limit: 10 });
    assert.equal(parked?.error, 'the yield cannot be negative');
    assert.deepEqual(others, []);
    receiver.misbehave((_records, commit) => commit());
    await retryParked(database.db);
    await until(allSent(database.db));
  });
});

test('a payload that does not fit its kind is parked without troubling Odoo', async () => {
  const receiver = createReceiver();
  await put(database.db, [{ kind: 'milk_session', sourceId: 'bad', payload: { farm: 1 } }, ...milkings(1)]);
  await withWorker(receiver.client, () => until(async () => (await states(database.db))['bad'] === 'parked'));
  const [parked] = await listParked(database.db, { limit: 1 });
  assert.match(parked?.error ?? '', /does not fit its kind/);
});

test('when Odoo refuses a whole batch, the guilty record is found and parked alone', async () => {
  const receiver = createReceiver();
  receiver.misbehave((records, commit) => {
    if (records.some(({ source_id }) => source_id.endsWith('/77')))
      throw new OdooError('rejected', 'no number 77');
    return commit();
  });
  await put(database.db, milkings(300));
  await withWorker(receiver.client, () =>
    until(async () => Object.values(await states(database.db)).every((state) => state !== 'pending')),
  );
  const parked = await listParked(database.db, { limit: 10 });
  assert.deepEqual(
    parked.map(({ sourceId, error }) => [sourceId, error]),
    [['farm1/meter_001/77', 'no number 77']],
  );
  assert.equal(receiver.writes.length, 299);
});

test('one record that crashes Odoo does not stop the others, and goes when Odoo is repaired', async () => {
  const receiver = createReceiver();
  receiver.misbehave((records, commit) => {
    if (records.some(({ source_id }) => source_id.endsWith('/7'))) throw new OdooError('crash', 'KeyError');
    return commit();
  });
  await put(database.db, milkings(20));
  await withWorker(receiver.client, async () => {
    await until(() => receiver.writes.length === 19);
    receiver.misbehave((_records, commit) => commit());
    await until(allSent(database.db));
  });
  assert.equal(receiver.writes.length, 20);
});

for (const reason of ['unreachable', 'denied', 'misconfigured'] as const) {
  test(`a target that is ${reason}: records wait, the status says so, it resumes by itself`, async () => {
    const receiver = createReceiver();
    const alarms: string[] = [];
    receiver.misbehave(() => {
      throw new OdooError(reason, 'what to do');
    });
    await put(database.db, [...milkings(5), { kind: 'device', sourceId: 'd', payload: device() }]);
    await withWorker(
      receiver.client,
      async (worker) => {
        // Without waiting for records to come: two of the kinds have some.
        const models = Object.keys(mappings).length;
        await until(() => new Set(receiver.calls.map(({ model }) => model)).size === models);
        await until(() => receiver.calls.length > 6 && worker.status().state === reason);
        assert.equal(worker.status().detail, 'what to do');
        assert.deepEqual([...new Set(Object.values(await states(database.db)))], ['pending']);
        receiver.misbehave((_records, commit) => commit());
        await until(allSent(database.db));
        await until(() => worker.status().state === 'ok');
      },
      { onDenied: (detail) => alarms.push(detail), onRecovered: () => alarms.push('recovered') },
    );
    assert.deepEqual(alarms, reason === 'denied' ? ['what to do', 'recovered'] : []);
    assert.equal(receiver.writes.length, 6);
    const { rows } = await database.db.query('SELECT max(attempts) AS attempts FROM iot.outbox');
    assert.deepEqual(rows, [{ attempts: 0 }], 'the target’s trouble does not count against records');
  });
}

test('too much for one call: batches shrink until they pass', async () => {
  const receiver = createReceiver();
  receiver.misbehave((records, commit) => {
    if (records.length > 60) throw new OdooError('overload', 'timeout');
    return commit();
  });
  await put(database.db, milkings(200));
  await withWorker(receiver.client, () => until(allSent(database.db)));
  assert.equal(receiver.writes.length, 200);
});

test('what one lane has learned of a proxy, the other lanes of the kind know', async () => {
  const receiver = createReceiver();
  const sizes: number[] = [];
  const { promise: gotThrough, resolve: through } = Promise.withResolvers<undefined>();
  let calls = 0;
  let sinceLearned = -1;
  const tooMuch = () => new OdooError('overload', 'Odoo answered 413, too much data at once');
  const client: OdooClient = {
    ...receiver.client,
    async call(model, method, args, signal) {
      const { length } = args['records'] as unknown[];
      if (model !== 'iot.milk.session' || length === 0)
        return receiver.client.call(model, method, args, signal);
      calls += 1;
      // One lane's first call hangs until the other has found its size; then it is refused too.
      if (calls === 1) {
        await gotThrough;
        sinceLearned = sizes.length;
        throw tooMuch();
      }
      sizes.push(length);
      if (length > 60) throw tooMuch();
      through(undefined);
      return receiver.client.call(model, method, args, signal);
    },
  };
  for (let from = 0; from < 4_000; from += 1_000)
    await put(database.db, milkings(4_000).slice(from, from + 1_000));
  const options = { ...quick, leaseMs: 60_000 };
  await withWorker(client, () => until(allSent(database.db)), { options });
  assert.ok(
    sizes.slice(0, sinceLearned).some((size) => size > 60),
    'it was learned',
  );
  assert.deepEqual(
    sizes.slice(sinceLearned).filter((size) => size > 60),
    [],
    'and not found out again',
  );
});

test('an answer that is not one result per record writes nothing off', async () => {
  const receiver = createReceiver();
  receiver.misbehave(() => []);
  await put(database.db, milkings(2));
  await withWorker(receiver.client, async (worker) => {
    await until(() => worker.status().state === 'misconfigured');
    assert.match(worker.status().detail, /update the addon/);
    receiver.misbehave((_records, commit) => commit());
    await until(allSent(database.db));
  });
});

test('a wake-up is faster than polling', async () => {
  const receiver = createReceiver();
  const options = { ...quick, pollMs: 3_600_000, waits: { ...quick.waits, probeMs: 3_600_000 } };
  await withWorker(
    receiver.client,
    async (worker) => {
      // Every lane has asked Odoo once, and sleeps.
      const lanes = Object.values(mappings).reduce((sum, { callsAtOnce = 1 }) => sum + callsAtOnce, 0);
      await until(() => receiver.calls.length === lanes);
      await put(database.db, milkings(1));
      worker.wake();
      await until(allSent(database.db));
    },
    { options },
  );
});

test("the database's news alone wake the worker: nobody calls it, and it looks by itself once an hour", async () => {
  const receiver = createReceiver();
  const options = { ...quick, pollMs: 3_600_000, waits: { ...quick.waits, probeMs: 3_600_000 } };
  await withWorker(
    receiver.client,
    async (worker) => {
      let heard = 0;
      const onHeard = () => {
        heard += 1;
        worker.wake();
      };
      const stop = followNews(database.url, [outboxNews(onHeard)], logger);
      try {
        await until(() => heard >= 1);
        // The first may meet a lane that has not gone to sleep yet; the others do not.
        for (const round of [1, 2, 3]) {
          await put(database.db, milkings(1, round));
          await until(allSent(database.db));
          await until(() => heard >= 1 + round);
        }
      } finally {
        await stop();
      }
    },
    { options },
  );
});

test('stop ends a hanging call, gives its records back and leaves nothing running', async () => {
  const receiver = createReceiver();
  let hanging = false;
  const client: OdooClient = {
    ...receiver.client,
    call: (model, method, args, signal) => {
      if ((args['records'] as unknown[]).length === 0) return receiver.client.call(model, method, args);
      hanging = true;
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new OdooError('unreachable', 'given up')));
      });
    },
  };
  await put(database.db, milkings(3));
  await withWorker(client, () => until(() => hanging));
  const { rows } = await database.db.query(
    'SELECT count(*) AS leased FROM iot.outbox WHERE leased_until IS NOT NULL',
  );
  assert.deepEqual(rows, [{ leased: 0 }]);
});

test('a failing hook and a failing database do not end the worker', async () => {
  const receiver = createReceiver();
  let broken = 3;
  const db = {
    query: ((...args: Parameters<typeof database.db.query>) => {
      if (broken-- > 0) return Promise.reject(new Error('the database is restarting'));
      return database.db.query(...args);
    }) as typeof database.db.query,
  };
  await put(database.db, milkings(2));
  await withWorker(receiver.client, () => until(allSent(database.db)), {
    db,
    onResult: () => {
      throw new Error('a bug of the hook');
    },
  });
  assert.equal(receiver.writes.length, 2);
});

test('without an Odoo the records wait and the status says so', async () => {
  await put(database.db, milkings(1));
  await withWorker(undefined, (worker) => {
    assert.equal(worker.status().state, 'not_configured');
    assert.match(worker.status().detail, /ODOO_URL/);
    return Promise.resolve();
  });
  assert.deepEqual(Object.values(await states(database.db)), ['pending']);
});

test('metrics count by kind and status, without ids', async () => {
  const receiver = createReceiver();
  const registry = new Registry();
  await put(database.db, milkings(4));
  await withWorker(receiver.client, () => until(allSent(database.db)), {
    metrics: createOutboxMetrics(registry),
  });
  const text = await registry.metrics();
  assert.match(text, /smart_dairy_outbox_results_total\{kind="milk_session",status="created"\} 4/);
  assert.match(text, /smart_dairy_odoo_state\{state="ok"\} 1/);
  assert.doesNotMatch(text, /meter_001/);
});

test('what Odoo answered is kept while the database cannot write, not only after the lease', async () => {
  const receiver = createReceiver();
  await database.db.query(`
    CREATE FUNCTION iot.test_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER test_disk_full BEFORE UPDATE ON iot.outbox FOR EACH ROW WHEN (NEW.state = 'sent')
      EXECUTE FUNCTION iot.test_disk_full()`);
  await put(database.db, milkings(5));
  const options = { ...quick, leaseMs: 3_600_000 };
  await withWorker(
    receiver.client,
    async () => {
      await until(() => receiver.kept.size === 5);
      await delay(300);
      await database.db.query('DROP FUNCTION iot.test_disk_full CASCADE');
      await until(allSent(database.db));
    },
    { options },
  );
  assert.deepEqual(
    receiver.calls.filter(({ size }) => size > 0).map(({ size }) => size),
    [5],
    'and Odoo is not asked again',
  );
});
