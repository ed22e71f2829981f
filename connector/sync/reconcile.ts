// Proves per day and kind that database and Odoo agree in revisions and contents, and puts out again what differs.
import type { Logger } from '../../contract/runtime/logger.ts';
import { publishAgain } from '../db/dimensions.ts';
import {
  dayRecords,
  deviceRecords,
  putAgain,
  raiseStale,
  saveReport,
  staleRecords,
  type DayReport,
} from '../db/reconciliation.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { contentHash } from '../odoo/mapping/content.ts';
import {
  dailyKinds,
  mappings,
  recordKinds,
  type DailyKind,
  type OdooRecord,
  type RecordKind,
} from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { compareRecords } from './compare.ts';
import { odooRecords } from './odoo-side.ts';

/** Sums are added in another order on each side. */
const sumTolerance = 0.001;

/** What reconciliation works with. */
export interface ReconcileContext {
  db: Db;
  client: OdooClient;
  logger: Logger;
}

/**
 * Compares the last `days` UTC days, today included, and every device; a record counts for the day on which it starts.
 * Puts out again what differs. Returns the report, saved as well.
 */
export async function reconcile(
  context: ReconcileContext,
  days: number,
  now = Date.now(),
): Promise<DayReport[]> {
  const { db, logger } = context;
  for (const kind of recordKinds) await raiseAboveOdoo(context, kind);
  const lines: DayReport[] = [];
  for (const kind of dailyKinds)
    for (let at = now - (days - 1) * dayMs; at <= now; at += dayMs) {
      const line = await reconcileDay(context, kind, dayOf(at));
      if (line !== undefined) lines.push(line);
    }
  lines.push(await reconcileDevices(context, dayOf(now)));
  for (const { kind, day, requeued, surplus } of lines)
    if (requeued > 0) logger.warn({ kind, day, requeued, surplus }, 'Odoo lacked records or had others');
  await saveReport(db, lines);
  return lines;
}

/** What Odoo called stale goes out again in a revision that it takes: what it has is not what the database says. */
async function raiseAboveOdoo({ db, client, logger }: ReconcileContext, kind: RecordKind): Promise<void> {
  const stale = await staleRecords(db, kind);
  if (stale.length === 0) return;
  const ids = stale.map(({ sourceId }) => sourceId);
  const inOdoo = await odooRecords(client, mappings[kind].model, [['source_id', 'in', ids]]);
  const raised = stale.map(({ sourceId, revision }) => ({
    sourceId,
    revision: Math.max(revision, (inOdoo.get(sourceId)?.revision ?? revision) + 1),
  }));
  await inTransaction(db, (transaction) => raiseStale(transaction, kind, raised));
  logger.warn(
    { kind, records: raised.length },
    'Odoo had other contents in a later revision: sent again above it',
  );
}

/** Undefined when there is nothing of the day, not even a record that is void. */
async function reconcileDay(
  { db, client, logger }: ReconcileContext,
  kind: DailyKind,
  day: string,
): Promise<DayReport | undefined> {
  const { model, compare } = mappings[kind];
  const end = nextDay(day);
  // Before asking Odoo: what was sent by now is in its answer, and what is sent meanwhile does not count as lost.
  const own = (await dayRecords(db, kind, day, end, compare.sum?.key ?? null)).map((record) => {
    const mapped = mappedOf(kind, record.record);
    const isVoid = compare.void !== null && mapped?.[compare.void] === true;
    return { ...record, isVoid, hash: mapped && contentHash(mapped) };
  });
  const inOdoo = await odooRecords(
    client,
    model,
    [
      [compare.at, '>=', `${day} 00:00:00`],
      [compare.at, '<', `${end} 00:00:00`],
    ],
    { sum: compare.sum?.field ?? null, void: compare.void },
  );
  if (own.length === 0 && inOdoo.size === 0) return undefined;
  const { differing, again, raised, surplus } = compareRecords(own, inOdoo);
  if (again.length > 0) await inTransaction(db, (transaction) => putAgain(transaction, kind, day, again));
  if (raised.length > 0)
    logger.warn(
      { kind, day, records: raised.length },
      'revisions raised above those of other contents in Odoo',
    );
  const counted = own.filter(({ isVoid }) => !isVoid);
  const countedInOdoo = [...inOdoo.values()].filter(({ isVoid }) => !isVoid);
  const dbSum = compare.sum === null ? null : total(counted);
  const odooSum = compare.sum === null ? null : total(countedInOdoo);
  return {
    kind,
    day,
    dbCount: counted.length,
    odooCount: countedInOdoo.length,
    dbSum,
    odooSum,
    waiting: own.filter(({ isWaiting }) => isWaiting).length,
    requeued: again.length,
    surplus,
    agrees: differing === 0 && surplus === 0 && sameSum(dbSum, odooSum),
  };
}

/** Devices are few and have no day: each is compared with the one in Odoo. */
async function reconcileDevices({ db, client }: ReconcileContext, day: string): Promise<DayReport> {
  const known = await deviceRecords(db);
  const inOdoo = await odooRecords(client, mappings.device.model, []);
  const expected = known.filter(({ isOurs, sourceId }) => isOurs || inOdoo.has(sourceId));
  const { differing, again } = compareRecords(
    expected
      .filter(({ isOurs }) => isOurs)
      .map((device) => ({
        ...device,
        // The record may have been purged from the outbox: then the revision has to say it.
        hash: device.record === null ? inOdoo.get(device.sourceId)?.hash : hashOf(device.record),
      })),
    inOdoo,
  );
  const ids = new Map(known.map(({ sourceId, id }) => [sourceId, id]));
  if (again.length > 0)
    await inTransaction(db, (transaction) =>
      publishAgain(
        transaction,
        again.flatMap(({ sourceId, revision }) => {
          const id = ids.get(sourceId);
          return id === undefined ? [] : [{ id, revision }];
        }),
      ),
    );
  const surplus = [...inOdoo.keys()].filter((sourceId) => !ids.has(sourceId)).length;
  return {
    kind: 'device',
    day,
    dbCount: expected.length,
    odooCount: inOdoo.size,
    dbSum: null,
    odooSum: null,
    waiting: differing - again.length,
    requeued: again.length,
    surplus,
    agrees: again.length === 0 && surplus === 0,
  };
}

/** Undefined for a record of a former version that cannot be sent any more as it is. */
function mappedOf(kind: RecordKind, record: unknown): OdooRecord | undefined {
  try {
    return mappings[kind].toOdoo(record);
  } catch {
    return undefined;
  }
}

function hashOf(device: unknown): string | undefined {
  const mapped = mappedOf('device', device);
  return mapped && contentHash(mapped);
}

const dayMs = 86_400_000;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
const nextDay = (day: string) => dayOf(Date.parse(day) + dayMs);
const total = (records: readonly { measure: number | null }[]) =>
  records.reduce((sum, { measure }) => sum + (measure ?? 0), 0);
const sameSum = (a: number | null, b: number | null) =>
  Math.abs((a ?? 0) - (b ?? 0)) <= sumTolerance * Math.max(1, Math.abs(a ?? 0) * 1e-6);
