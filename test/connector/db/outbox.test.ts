// The outbox table on a real database: leases, settlements by revision, and that ingest is never waited for.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  countOutbox,
  leaseOutbox,
  listParked,
  purgeSent,
  retryParked,
  settleOutbox,
  type Settlement,
} from '../../../connector/db/outbox.ts';
import { openOutboxDatabase, put, states, type OutboxDatabase } from '../outbox/fixture.ts';

let database: OutboxDatabase;
before(async () => {
  database = await openOutboxDatabase();
});
after(() => database.close());
beforeEach(() => database.db.query('TRUNCATE iot.outbox'));

const rows = (count: number, revision = 1) =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'device',
    sourceId: `d${String(index).padStart(3, '0')}`,
    revision,
    payload: { index },
  }));
const lease = (limit = 100, kind = 'device', leaseMs = 60_000) =>
  leaseOutbox(database.db, { kind, limit, leaseMs });
async function settleAll(leased: Awaited<ReturnType<typeof lease>>, settlement: Settlement) {
  return settleOutbox(
    database.db,
    leased.map((row) => ({ row, settlement })),
  );
}
const sent: Settlement = { outcome: 'sent', odooId: 7 };

test('a lease takes one kind in order, up to its limit, and nobody else gets the same rows', async () => {
  await put(database.db, [...rows(5), { kind: 'alert', sourceId: 'a', payload: {} }]);
  const first = await lease(3);
  assert.deepEqual(
    first.map(({ sourceId, revision, payload, attempts }) => ({ sourceId, revision, payload, attempts })),
    [0, 1, 2].map((index) => ({ sourceId: `d00${index}`, revision: 1, payload: { index }, attempts: 0 })),
  );
  assert.deepEqual(
    (await lease(100)).map(({ sourceId }) => sourceId),
    ['d003', 'd004'],
  );
  assert.deepEqual(await lease(), []);
});

test('workers at the same time share rows without sharing one', async () => {
  await put(database.db, rows(200));
  const batches = await Promise.all(Array.from({ length: 8 }, () => lease(25)));
  const ids = batches.flat().map(({ id }) => id);
  assert.equal(ids.length, new Set(ids).size);
  const rest = await lease(200);
  assert.equal(ids.length + rest.length, 200);
});

test('a lease that ran out is given again', async () => {
  await put(database.db, rows(1));
  assert.equal((await lease(1, 'device', -1)).length, 1);
  assert.equal((await lease()).length, 1);
});

test('sent, parked, retry and released each leave their mark', async () => {
  await put(database.db, rows(4));
  const [a, b, c, d] = await lease();
  assert.ok(a && b && c && d);
  const settled = await settleOutbox(database.db, [
    { row: a, settlement: sent },
    { row: b, settlement: { outcome: 'parked', error: 'bad yield' } },
    { row: c, settlement: { outcome: 'retry', error: 'locked', delayMs: 60_000 } },
    { row: d, settlement: { outcome: 'released' } },
  ]);
  assert.equal(settled.size, 4);
  const { rows: found } = await database.db.query(
    `SELECT source_id, state, attempts, last_error, odoo_id, leased_until, sent_at IS NOT NULL AS sent,
       next_attempt_at > now() AS waits FROM iot.outbox ORDER BY id`,
  );
  const common = { leased_until: null, odoo_id: null, sent: false, waits: false, last_error: null };
  assert.deepEqual(found, [
    { ...common, source_id: 'd000', state: 'sent', attempts: 0, odoo_id: 7, sent: true },
    { ...common, source_id: 'd001', state: 'parked', attempts: 1, last_error: 'bad yield' },
    { ...common, source_id: 'd002', state: 'pending', attempts: 1, last_error: 'locked', waits: true },
    { ...common, source_id: 'd003', state: 'pending', attempts: 0 },
  ]);
  assert.deepEqual(
    (await lease()).map(({ sourceId }) => sourceId),
    ['d003'],
    'released at once, retry later',
  );
});

for (const settlement of [
  sent,
  { outcome: 'parked', error: 'x' },
  { outcome: 'retry', error: 'x', delayMs: 1e6 },
] as const) {
  test(`a revision that came during the call survives ${settlement.outcome} and goes next`, async () => {
    await put(database.db, rows(1));
    const leased = await lease();
    await put(database.db, rows(1, 2));
    assert.deepEqual(await lease(), [], 'still leased: order per record');
    await settleAll(leased, settlement);
    const next = await lease();
    assert.deepEqual(
      next.map(({ revision, attempts }) => ({ revision, attempts })),
      [{ revision: 2, attempts: 0 }],
    );
  });
}

test('settling never waits for a transaction of ingest, and sees what that transaction wrote', async () => {
  await put(database.db, rows(2));
  const leased = await lease();
  const ingest = await database.db.connect();
  try {
    await ingest.query('BEGIN');
    await put(ingest, rows(1, 2));
    const settled = await settleAll(leased, sent);
    assert.deepEqual([...settled], [leased[1]?.id]);
    await ingest.query('COMMIT');
  } finally {
    ingest.release();
  }
  assert.equal((await settleAll(leased, sent)).size, 1);
  assert.deepEqual(await states(database.db), { d000: 'pending', d001: 'sent' });
});

test('counts by kind; parked ones can be listed by page and tried again, some or all', async () => {
  await put(database.db, [...rows(3), { kind: 'alert', sourceId: 'a', payload: {} }]);
  const leased = await lease(2);
  await settleAll(leased, { outcome: 'parked', error: 'why' });
  const counts = await countOutbox(database.db);
  assert.deepEqual(
    counts.map(({ kind, pending, parked }) => ({ kind, pending, parked })),
    [
      { kind: 'alert', pending: 1, parked: 0 },
      { kind: 'device', pending: 1, parked: 2 },
    ],
  );
  assert.ok(counts.every(({ oldestPendingS }) => oldestPendingS !== null && oldestPendingS >= 0));
  const [first] = await listParked(database.db, { limit: 1 });
  assert.equal(first?.sourceId, 'd000');
  assert.equal(first.error, 'why');
  assert.ok(first.pendingSince instanceof Date);
  const page = await listParked(database.db, { limit: 10, cursor: first.id });
  assert.deepEqual(
    page.map(({ sourceId }) => sourceId),
    ['d001'],
  );
  assert.equal(await retryParked(database.db, [first.id]), 1);
  assert.equal(await retryParked(database.db), 1);
  assert.equal((await lease()).length, 3);
});

test('purging removes what was sent long ago and nothing else', async () => {
  await put(database.db, rows(3));
  await settleAll((await lease()).slice(0, 2), sent);
  await database.db.query(
    `UPDATE iot.outbox SET sent_at = now() - interval '31 days' WHERE source_id = 'd000'`,
  );
  assert.equal(await purgeSent(database.db, 30), 1);
  assert.deepEqual(await states(database.db), { d001: 'sent', d002: 'pending' });
});

test('writers, senders and settlers in a crowd: no deadlock, and every key ends with its newest revision', async () => {
  const last = 12;
  const shuffled = (revision: number) => rows(60, revision).toSorted(() => Math.random() - 0.5);
  const seen = new Map<string, number>();
  let writing = true;
  const sender = async () => {
    while (true) {
      const open = writing;
      const leased = await lease(17);
      for (const { sourceId, revision } of leased) {
        assert.ok((seen.get(sourceId) ?? 0) < revision, 'an older revision after a newer one');
        seen.set(sourceId, revision);
      }
      let left = leased;
      while (left.length > 0) {
        const done = await settleAll(left, sent);
        left = left.filter(({ id }) => !done.has(id));
      }
      if (!open && leased.length === 0) return;
    }
  };
  const writer = async () => {
    for (let revision = 1; revision <= last; revision++) await put(database.db, shuffled(revision));
    writing = false;
  };
  await Promise.all([writer(), sender(), sender(), sender()]);
  assert.deepEqual([...new Set(seen.values())], [last]);
  assert.deepEqual([...new Set(Object.values(await states(database.db)))], ['sent']);
});
