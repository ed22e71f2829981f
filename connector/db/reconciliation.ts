// The database's side of the comparison with Odoo: counts and sums by day, records of a day, and putting them out again.
import type { DailyKind, ReconciledKind } from '../odoo/mapping/index.ts';
import { wakeOutbox } from './outbox.ts';
import type { Queryable } from './pool.ts';

/** Where a kind's records stand as last published. Rows: source_id, revision, record, at. */
const sources: Record<DailyKind, string> = {
  milk_session: `SELECT f.code || '/' || d.device_uid || '/' || s.session_key AS source_id, s.revision, s.record, s.started_at AS at
      FROM iot.milk_session s JOIN iot.device d ON d.id = s.device_id JOIN iot.farm f ON f.id = d.farm_id
      WHERE s.revision > 0 AND s.record IS NOT NULL AND s.started_at >= $1 AND s.started_at < $2`,
  alert: `SELECT alert_key AS source_id, revision, record, raised_at AS at FROM iot.alert
      WHERE raised_at >= $1 AND raised_at < $2 AND iot.is_told(device_id)`,
};

/** Count and sum of a day. `waiting`: records of the kind under way to Odoo, or parked. */
export interface DayTotals {
  /** UTC, YYYY-MM-DD. */
  day: string;
  count: number;
  sum: number | null;
  waiting: number;
}

/** Totals of every UTC day from `from` up to `to`, both YYYY-MM-DD; `sumKey`: what of the record is added up. */
export async function dayTotals(
  db: Queryable,
  kind: DailyKind,
  from: string,
  to: string,
  sumKey: string | null,
): Promise<DayTotals[]> {
  const { rows } = await db.query<DayTotals>(
    `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*) AS count,
       sum((record ->> $4::text)::float8) AS sum,
       count(*) FILTER (WHERE o.state IN ('pending', 'parked')) AS waiting
     FROM (${sources[kind]}) s LEFT JOIN iot.outbox o ON o.kind = $3 AND o.source_id = s.source_id
     GROUP BY 1`,
    [from, to, kind, sumKey],
  );
  return rows;
}

/** Revision by source_id of a day's records that are not under way already. */
export async function settledRevisions(
  db: Queryable,
  kind: DailyKind,
  from: string,
  to: string,
): Promise<Map<string, { revision: number; isSettled: boolean }>> {
  const { rows } = await db.query<{ source_id: string; revision: number; settled: boolean }>(
    `SELECT s.source_id, s.revision, coalesce(o.state = 'sent' AND o.last_error IS NULL, true) AS settled
     FROM (${sources[kind]}) s LEFT JOIN iot.outbox o ON o.kind = $3 AND o.source_id = s.source_id`,
    [from, to, kind],
  );
  return new Map(
    rows.map(({ source_id, revision, settled }) => [source_id, { revision, isSettled: settled }]),
  );
}

/** A device as the database has it. */
interface DeviceRevision {
  id: number;
  revision: number;
  isSettled: boolean;
  /** Odoo has it from us; else a person made it there and it never talked, or refused it. */
  isOurs: boolean;
}

/** Every device by source_id. What a person deleted in Odoo counts again once it talks again. */
export async function deviceRevisions(db: Queryable): Promise<Map<string, DeviceRevision>> {
  const { rows } = await db.query<DeviceRevision & { sourceId: string }>(
    `SELECT d.id, f.code || '/' || d.device_uid AS "sourceId", d.revision,
       coalesce(o.state = 'sent' AND o.last_error IS NULL, true) AS "isSettled",
       d.state <> 'rejected' AND (d.published_seen IS NOT NULL OR o.source_id IS NOT NULL) AS "isOurs"
     FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
       LEFT JOIN iot.outbox o ON o.kind = 'device' AND o.source_id = f.code || '/' || d.device_uid
     WHERE d.deleted_in_odoo_at IS NULL OR d.last_seen > d.deleted_in_odoo_at`,
  );
  return new Map(rows.map(({ sourceId, ...device }) => [sourceId, device]));
}

/** Puts records of a day into the outbox once more, as they were last published. Returns how many. */
export async function requeue(
  db: Queryable,
  kind: DailyKind,
  from: string,
  to: string,
  sourceIds: readonly string[],
): Promise<number> {
  const { rowCount } = await db.query(
    `INSERT INTO iot.outbox AS o (kind, source_id, revision, payload)
     SELECT $3, s.source_id, s.revision, s.record FROM (${sources[kind]}) s WHERE s.source_id = ANY ($4)
     ON CONFLICT (kind, source_id) DO UPDATE SET state = 'pending', attempts = 0, next_attempt_at = now(),
       pending_since = now(), last_error = NULL WHERE o.state = 'sent'`,
    [from, to, kind, sourceIds],
  );
  await wakeOutbox(db);
  return rowCount ?? 0;
}

/** One line of the report. */
export interface DayReport {
  kind: ReconciledKind;
  day: string;
  dbCount: number;
  odooCount: number;
  dbSum: number | null;
  odooSum: number | null;
  waiting: number;
  requeued: number;
  surplus: number;
  agrees: boolean;
}

/** Keeps the report of these days in place of the former one. */
export async function saveReport(db: Queryable, lines: readonly DayReport[]): Promise<void> {
  // Devices are compared as they are now: what was said of them on another day is over.
  await db.query(`DELETE FROM iot.odoo_reconciliation WHERE kind = 'device'`);
  await db.query(
    `INSERT INTO iot.odoo_reconciliation AS r
       (kind, day, db_count, odoo_count, db_sum, odoo_sum, waiting, requeued, surplus, agrees)
     SELECT kind, day, "dbCount", "odooCount", "dbSum", "odooSum", waiting, requeued, surplus, agrees
     FROM jsonb_to_recordset($1) AS l (kind text, day date, "dbCount" bigint, "odooCount" bigint, "dbSum" float8,
       "odooSum" float8, waiting bigint, requeued bigint, surplus bigint, agrees boolean)
     ON CONFLICT (kind, day) DO UPDATE SET db_count = excluded.db_count, odoo_count = excluded.odoo_count,
       db_sum = excluded.db_sum, odoo_sum = excluded.odoo_sum, waiting = excluded.waiting, requeued = excluded.requeued,
       surplus = excluded.surplus, agrees = excluded.agrees, checked_at = now()`,
    [JSON.stringify(lines)],
  );
}

/** The report, newest day first. */
export async function readReport(db: Queryable, days: number): Promise<Record<string, unknown>[]> {
  const { rows } = await db.query<Record<string, unknown>>(
    `SELECT kind, to_char(day, 'YYYY-MM-DD') AS day, db_count, odoo_count, db_sum, odoo_sum, waiting, requeued, surplus,
       agrees, checked_at
     FROM iot.odoo_reconciliation WHERE day > current_date - $1::int ORDER BY day DESC, kind`,
    [days],
  );
  return rows;
}

/** Days that disagree now, by kind. */
export async function disagreeingDays(db: Queryable): Promise<{ kind: string; days: number }[]> {
  const { rows } = await db.query<{ kind: string; days: number }>(
    'SELECT kind, count(*) FILTER (WHERE NOT agrees) AS days FROM iot.odoo_reconciliation GROUP BY kind',
  );
  return rows;
}
