// The outbox table as its worker and the REST API use it. Rows are written by outboxPut, see timescale/020_outbox.sql.
import type { RecordKind } from '../odoo/mapping/index.ts';
import type { Queryable } from './pool.ts';

/**
 * The end of a statement that puts records into the outbox and wakes the worker: `relation` of the same WITH has their
 * source_id, revision and record.
 */
export const outboxPut = (kind: RecordKind, relation: string): string =>
  `SELECT iot.outbox_put(array_agg('${kind}'::text), array_agg(source_id), array_agg(revision), array_agg(record))
     FROM ${relation} HAVING count(*) > 0`;

export const outboxChannel = 'iot_outbox';

/** Wakes the worker, be it in this process or another, for records that are due again. */
export async function wakeOutbox(db: Queryable): Promise<void> {
  await db.query(`SELECT pg_notify($1, '')`, [outboxChannel]);
}

/** A record to be sent, in the worker's hands until its lease ends. */
export interface OutboxRow {
  id: number;
  sourceId: string;
  revision: number;
  payload: unknown;
  /** Failed attempts so far. */
  attempts: number;
}

/** What became of a leased row. Counts only for the revision that was sent: a newer one stays pending. */
export type Settlement =
  | { outcome: 'sent'; odooId: number | null }
  /** Odoo has other content, in this or a later revision. */
  | { outcome: 'stale'; error: string; odooId: number | null }
  | { outcome: 'parked'; error: string }
  | { outcome: 'retry'; error: string; delayMs: number }
  | { outcome: 'released' };

export interface OutboxCounts {
  kind: string;
  pending: number;
  parked: number;
  /** Odoo has other content in this or a later revision; the comparison sends them above it. */
  stale: number;
  /** Age of the oldest pending record, in seconds; null when nothing is pending. */
  oldestPendingS: number | null;
}

/** A record that Odoo refused, or of which it has other content (stale), for a person to look at. */
export interface ParkedRow {
  id: number;
  state: 'parked' | 'stale';
  kind: string;
  sourceId: string;
  revision: number;
  attempts: number;
  error: string;
  pendingSince: Date;
}

/**
 * Leases up to `limit` due rows of a kind for `leaseMs`. Rows of other workers and rows that ingest is writing right now are passed over.
 * Order is by due time and then id, which the index delivers: a million waiting rows cost no sort.
 */
export async function leaseOutbox(
  db: Queryable,
  { kind, limit, leaseMs }: { kind: string; limit: number; leaseMs: number },
): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>(
    `WITH due AS MATERIALIZED (
       SELECT id FROM iot.outbox
       WHERE kind = $1 AND state = 'pending' AND next_attempt_at <= now()
         AND (leased_until IS NULL OR leased_until < now())
       ORDER BY next_attempt_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
     ), leased AS (
       UPDATE iot.outbox o SET leased_until = clock_timestamp() + $3 * interval '1 ms'
       FROM due WHERE o.id = due.id
       RETURNING o.id, o.source_id, o.revision, o.payload, o.attempts
     )
     SELECT id, source_id AS "sourceId", revision, payload, attempts FROM leased ORDER BY id`,
    [kind, limit, leaseMs],
  );
  return rows;
}

/**
 * Ends leases with their outcomes, in one statement. Returns the ids that were settled: a row that another transaction is
 * writing is left alone, because waiting for it could deadlock with ingest. Try those again, or let their lease run out.
 */
export async function settleOutbox(
  db: Queryable,
  settlements: readonly { row: Pick<OutboxRow, 'id' | 'revision'>; settlement: Settlement }[],
): Promise<Set<number>> {
  const columns = settlements.map(({ row, settlement }) => ({
    id: row.id,
    revision: row.revision,
    outcome: settlement.outcome,
    error: 'error' in settlement ? settlement.error : null,
    delayMs: 'delayMs' in settlement ? settlement.delayMs : 0,
    odooId: 'odooId' in settlement ? settlement.odooId : null,
  }));
  const { rows } = await db.query<{ id: number }>(
    `WITH result AS (
       SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::float8[], $6::bigint[])
         AS r(id, revision, outcome, error, delay_ms, odoo_id)
     ), free AS MATERIALIZED (
       SELECT o.id, CASE WHEN o.revision = r.revision THEN r.outcome ELSE 'released' END AS outcome,
         r.error, r.delay_ms, r.odoo_id
       FROM iot.outbox o JOIN result r ON r.id = o.id AND o.state = 'pending'
       FOR UPDATE OF o SKIP LOCKED
     )
     UPDATE iot.outbox o SET
       leased_until = NULL,
       state = CASE WHEN f.outcome IN ('sent', 'parked', 'stale') THEN f.outcome ELSE o.state END,
       attempts = o.attempts + CASE WHEN f.outcome IN ('parked', 'retry') THEN 1 ELSE 0 END,
       next_attempt_at = CASE WHEN f.outcome = 'retry'
         THEN clock_timestamp() + f.delay_ms * interval '1 ms' ELSE o.next_attempt_at END,
       last_error = CASE WHEN f.outcome = 'released' THEN o.last_error ELSE f.error END,
       sent_at = CASE WHEN f.outcome = 'sent' THEN clock_timestamp() ELSE o.sent_at END,
       odoo_id = coalesce(f.odoo_id, o.odoo_id)
     FROM free f WHERE o.id = f.id
     RETURNING o.id`,
    [
      columns.map(({ id }) => id),
      columns.map(({ revision }) => revision),
      columns.map(({ outcome }) => outcome),
      columns.map(({ error }) => error),
      columns.map(({ delayMs }) => delayMs),
      columns.map(({ odooId }) => odooId),
    ],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Pending and parked records by kind. Sent ones are not counted: there may be millions. */
export async function countOutbox(db: Queryable): Promise<OutboxCounts[]> {
  const { rows } = await db.query<
    Record<'pending' | 'parked' | 'stale', string> & { kind: string; age: string | null }
  >(
    `SELECT kind, sum(pending) AS pending, sum(parked) AS parked, sum(stale) AS stale,
       extract(epoch FROM clock_timestamp() - min(since)) AS age
     FROM (
       SELECT kind, count(*) AS pending, 0 AS parked, 0 AS stale, min(pending_since) AS since
       FROM iot.outbox WHERE state = 'pending' GROUP BY kind
       UNION ALL
       SELECT kind, 0, count(*), 0, NULL FROM iot.outbox WHERE state = 'parked' GROUP BY kind
       UNION ALL
       SELECT kind, 0, 0, count(*), NULL FROM iot.outbox WHERE state = 'stale' GROUP BY kind
     ) counted GROUP BY kind ORDER BY kind`,
  );
  return rows.map(({ kind, pending, parked, stale, age }) => ({
    kind,
    pending: Number(pending),
    parked: Number(parked),
    stale: Number(stale),
    oldestPendingS: age === null ? null : Math.max(0, Number(age)),
  }));
}

/** Parked and stale records, oldest first. `cursor` is the last id of the page before. */
export async function listParked(
  db: Queryable,
  { limit, cursor = 0 }: { limit: number; cursor?: number },
): Promise<ParkedRow[]> {
  const { rows } = await db.query<ParkedRow>(
    `SELECT id, state, kind, source_id AS "sourceId", revision, attempts, coalesce(last_error, '') AS error,
       pending_since AS "pendingSince"
     FROM iot.outbox WHERE state IN ('parked', 'stale') AND id > $1 ORDER BY id LIMIT $2`,
    [cursor, limit],
  );
  return rows;
}

/** Makes parked records pending again, all or those of `ids`, and wakes the worker. Returns how many. */
export async function retryParked(db: Queryable, ids?: readonly number[]): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE iot.outbox SET state = 'pending', attempts = 0, next_attempt_at = now(), leased_until = NULL
     WHERE state = 'parked' AND ($1::bigint[] IS NULL OR id = ANY($1))`,
    [ids ?? null],
  );
  await wakeOutbox(db);
  return rowCount ?? 0;
}

/** Gives parked records up: they count as sent, so that a later revision goes out as usual. Returns how many. */
export async function ignoreParked(db: Queryable, ids: readonly number[]): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE iot.outbox SET state = 'sent', sent_at = now(), last_error = 'ignored: ' || coalesce(last_error, '')
     WHERE state = 'parked' AND id = ANY ($1)`,
    [ids],
  );
  return rowCount ?? 0;
}

/** Deletes records that were sent more than `days` ago. Returns how many. */
export async function purgeSent(db: Queryable, days: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM iot.outbox WHERE state = 'sent' AND sent_at < now() - $1 * interval '1 day'`,
    [days],
  );
  return rowCount ?? 0;
}
