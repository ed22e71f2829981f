// Proves per day and kind that database and Odoo agree, and puts out again what Odoo lacks or has in an older revision.
import * as z from 'zod';
import { recordSource } from '../../contract/records.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { publishAgain } from '../db/dimensions.ts';
import {
  dayTotals,
  deviceRevisions,
  requeue,
  saveReport,
  settledRevisions,
  type DayReport,
} from '../db/reconciliation.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { OdooError } from '../odoo/errors.ts';
import { dailyKinds, mappings, type DailyKind } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';

/** Sums are added in another order on each side. */
const sumTolerance = 0.001;
const pageSize = 5_000;

/** What reconciliation works with. */
export interface ReconcileContext {
  db: Db;
  client: OdooClient;
  logger: Logger;
}

/**
 * Compares the last `days` UTC days, today included, and every device; requeues what differs. Returns the report, saved as
 * well.
 */
export async function reconcile(
  { db, client, logger }: ReconcileContext,
  days: number,
  now = Date.now(),
): Promise<DayReport[]> {
  const to = dayOf(now + dayMs);
  const from = dayOf(now - (days - 1) * dayMs);
  const lines: DayReport[] = [];
  for (const kind of dailyKinds) {
    const ours = new Map(
      (await dayTotals(db, kind, from, to, mappings[kind].compare.sum?.key ?? null)).map((totals) => [
        totals.day,
        totals,
      ]),
    );
    const theirs = await odooTotals(client, kind, from, to);
    for (const day of [...new Set([...ours.keys(), ...theirs.keys()])].sort()) {
      const mine = ours.get(day) ?? { count: 0, sum: null, waiting: 0 };
      const other = theirs.get(day) ?? { count: 0, sum: null };
      const agrees = mine.count === other.count && sameSum(mine.sum, other.sum);
      const repaired = agrees ? { requeued: 0, surplus: 0 } : await repair({ db, client }, kind, day);
      if (repaired.requeued > 0)
        logger.warn({ kind, day, ...repaired }, 'Odoo lacked records or had older ones: sent again');
      lines.push({
        kind,
        day,
        dbCount: mine.count,
        odooCount: other.count,
        dbSum: mine.sum,
        odooSum: other.sum,
        waiting: mine.waiting,
        ...repaired,
        agrees,
      });
    }
  }
  const devices = await reconcileDevices({ db, client }, dayOf(now));
  if (devices.requeued > 0) logger.warn({ ...devices }, 'Odoo lacked devices or had older ones: sent again');
  lines.push(devices);
  await saveReport(db, lines);
  return lines;
}

/** Devices are few and have no day: each is compared with the one in Odoo. */
async function reconcileDevices(
  { db, client }: Pick<ReconcileContext, 'db' | 'client'>,
  day: string,
): Promise<DayReport> {
  const known = await deviceRevisions(db);
  const inOdoo = await odooRevisions(client, mappings.device.model, [['source', '=', recordSource]]);
  const expected = [...known].filter(([id, { isOurs }]) => isOurs || inOdoo.has(id));
  const differing = expected.filter(
    ([id, { isOurs, revision }]) => isOurs && (inOdoo.get(id) ?? -1) < revision,
  );
  const behind = differing.filter(([, { isSettled }]) => isSettled).map(([, { id }]) => id);
  if (behind.length > 0) await inTransaction(db, (transaction) => publishAgain(transaction, behind));
  const surplus = [...inOdoo.keys()].filter((id) => !known.has(id)).length;
  return {
    kind: 'device',
    day,
    dbCount: expected.length,
    odooCount: inOdoo.size,
    dbSum: null,
    odooSum: null,
    waiting: differing.length - behind.length,
    requeued: behind.length,
    surplus,
    agrees: behind.length === 0 && surplus === 0,
  };
}

const dayMs = 86_400_000;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
const nextDay = (day: string) => dayOf(Date.parse(day) + dayMs);
const sameSum = (a: number | null, b: number | null) =>
  Math.abs((a ?? 0) - (b ?? 0)) <= sumTolerance * Math.max(1, Math.abs(a ?? 0) * 1e-6);

const groupSchema = z.array(z.record(z.string(), z.unknown()));

/** Count and sum of each day in Odoo: one call. */
async function odooTotals(
  client: OdooClient,
  kind: DailyKind,
  from: string,
  to: string,
): Promise<Map<string, { count: number; sum: number | null }>> {
  const { model, compare } = mappings[kind];
  const { at } = compare;
  const sum = compare.sum?.field ?? null;
  const answer = await client.call(model, 'formatted_read_group', {
    domain: domainOf(kind, from, to),
    groupby: [`${at}:day`],
    aggregates: ['__count', ...(sum === null ? [] : [`${sum}:sum`])],
    context: { tz: 'UTC', lang: 'en_US', active_test: false },
  });
  const groups = groupSchema.safeParse(answer);
  if (!groups.success) throw new OdooError('misconfigured', `${model}.formatted_read_group gave no groups`);
  return new Map(
    groups.data.map((group) => {
      const [day] = group[`${at}:day`] as [string, string];
      const total = sum === null ? null : (group[`${sum}:sum`] as number | false);
      return [day.slice(0, 10), { count: group['__count'] as number, sum: total === false ? null : total }];
    }),
  );
}

function domainOf(kind: DailyKind, from: string, to: string): unknown[] {
  const { at } = mappings[kind].compare;
  return [
    ['source', '=', recordSource],
    [at, '>=', `${from} 00:00:00`],
    [at, '<', `${to} 00:00:00`],
  ];
}

const revisionSchema = z.array(z.object({ id: z.int(), source_id: z.string(), revision: z.int() }));

/** Record by record: only on a day that differs. */
async function repair(
  { db, client }: Pick<ReconcileContext, 'db' | 'client'>,
  kind: DailyKind,
  day: string,
): Promise<{ requeued: number; surplus: number }> {
  // Before asking Odoo: what was sent by now is in its answer, and what is sent meanwhile does not count as lost.
  const known = await settledRevisions(db, kind, day, nextDay(day));
  const inOdoo = await odooRevisions(client, mappings[kind].model, domainOf(kind, day, nextDay(day)));
  const behind = [...known]
    .filter(([id, { revision, isSettled }]) => isSettled && (inOdoo.get(id) ?? -1) < revision)
    .map(([id]) => id);
  const requeued = behind.length === 0 ? 0 : await requeue(db, kind, day, nextDay(day), behind);
  return { requeued, surplus: [...inOdoo.keys()].filter((id) => !known.has(id)).length };
}

/** Revision by source_id of the records of a domain. */
async function odooRevisions(
  client: OdooClient,
  model: string,
  domain: unknown[],
): Promise<Map<string, number>> {
  const revisions = new Map<string, number>();
  for (let lastId = 0; ;) {
    const answer = await client.call(model, 'search_read', {
      domain: [...domain, ['id', '>', lastId]],
      fields: ['source_id', 'revision'],
      order: 'id',
      limit: pageSize,
      context: { active_test: false },
    });
    const page = revisionSchema.parse(answer);
    for (const { source_id, revision } of page) revisions.set(source_id, revision);
    lastId = page.at(-1)?.id ?? lastId;
    if (page.length < pageSize) return revisions;
  }
}
