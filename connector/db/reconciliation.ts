// The database's side of the comparison with Odoo: records of a day, and putting them out again above Odoo's revision.
import type { DailyKind, ReconciledKind, RecordKind } from '../odoo/mapping/index.ts';
import { wakeOutbox } from './outbox.ts';
import type { PoolClient, Queryable } from './pool.ts';

/** A kind's records as last published: source_id, revision, record, and `near`, an indexed time within a day of its own. */
const published: Record<DailyKind, string> = {
  milk_session: `SELECT f.code || '/' || d.device_uid || '/' || s.session_key AS source_id, s.revision, s.record, s.started_at AS near
      FROM iot.milk_session s JOIN iot.device d ON d.id = s.device_id JOIN iot.farm f ON f.id = d.farm_id
      WHERE s.revision > 0 AND s.record IS NOT NULL`,
  alert: `SELECT alert_key AS source_id, revision, record, raised_at AS near FROM iot.alert WHERE iot.is_told(device_id)`,
};

/**
 * The key of the moment for which a record counts. It is the record's own, the one that Odoo has: a milking whose meter states
 * its length starts earlier than the first that was heard of it.
 */
const moments: Record<DailyKind, string> = { milk_session: 'started_at', alert: 'raised_at' };

// Whatever the zone of the session is.
const midnight = (day: string) => `${day}T00:00:00Z`;

/** A record of a day, as last published. */
interface DayRecord {
  sourceId: string;
  revision: number;
  record: unknown;
  /** Not under way to Odoo, not parked, not given up. */
  isSettled: boolean;
  /** Under way to Odoo, or parked. */
  isWaiting: boolean;
  /** What of the record is added up. */
  measure: number | null;
}

const settled = `coalesce(o.state = 'sent' AND o.last_error IS NULL, true)`;

/** Records of the UTC days from `start` up to `end`, both YYYY-MM-DD; `sumKey`: what of the record is added up. */
export async function dayRecords(
  db: Queryable,
  kind: DailyKind,
  start: string,
  end: string,
  sumKey: string | null,
): Promise<DayRecord[]> {
  const { rows } = await db.query<DayRecord>(
    `SELECT s.source_id AS "sourceId", s.revision, s.record, ${settled} AS "isSettled",
       coalesce(o.state IN ('pending', 'parked', 'stale'), false) AS "isWaiting", (s.record ->> $4::text)::float8 AS measure
     FROM (${published[kind]}) s LEFT JOIN iot.outbox o ON o.kind = $3 AND o.source_id = s.source_id
     WHERE s.near >= $1::timestamptz - INTERVAL '1 day' AND s.near < $2::timestamptz + INTERVAL '1 day'
       AND (s.record ->> $5::text)::timestamptz >= $1 AND (s.record ->> $5::text)::timestamptz < $2`,
    [midnight(start), midnight(end), kind, sumKey, moments[kind]],
  );
  return rows;
}

/** A device as the database has it. */
interface DeviceRecordRow {
  id: number;
  sourceId: string;
  revision: number;
  /** As last published; null when that was purged from the outbox. */
  record: unknown;
  isSettled: boolean;
  /** Odoo has it from us; else a person made it there and it never talked, or refused it. */
  isOurs: boolean;
}

/** Every device. What a person deleted in Odoo counts again once it talks again. */
export async function deviceRecords(db: Queryable): Promise<DeviceRecordRow[]> {
  const { rows } = await db.query<DeviceRecordRow>(
    `SELECT d.id, f.code || '/' || d.device_uid AS "sourceId", d.revision,
       CASE WHEN o.revision = d.revision THEN o.payload END AS record, ${settled} AS "isSettled",
       d.state <> 'rejected' AND (d.published_seen IS NOT NULL OR o.source_id IS NOT NULL) AS "isOurs"
     FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
       LEFT JOIN iot.outbox o ON o.kind = 'device' AND o.source_id = f.code || '/' || d.device_uid
     WHERE d.deleted_in_odoo_at IS NULL OR d.last_seen > d.deleted_in_odoo_at`,
  );
  return rows;
}

/** A record that goes out again in this revision. */
interface Again {
  sourceId: string;
  revision: number;
}

/** Where a kind keeps the revision that its next change counts on from. `r` has source_id and revision. */
const raises: Record<RecordKind, string> = {
  // Neither a farm's code nor a device's uid has a slash.
  milk_session: `UPDATE iot.milk_session s SET revision = r.revision FROM r, iot.device d, iot.farm f
    WHERE f.code = split_part(r.source_id, '/', 1) AND d.farm_id = f.id AND d.device_uid = split_part(r.source_id, '/', 2)
      AND s.device_id = d.id AND s.session_key = substr(r.source_id, length(f.code || d.device_uid) + 3)
      AND s.revision < r.revision`,
  alert: `UPDATE iot.alert s SET revision = r.revision FROM r WHERE s.alert_key = r.source_id AND s.revision < r.revision`,
  device: `UPDATE iot.device s SET revision = r.revision FROM r, iot.farm f
    WHERE f.id = s.farm_id AND f.code || '/' || s.device_uid = r.source_id AND s.revision < r.revision`,
  command: `UPDATE iot.command s SET revision = r.revision FROM r WHERE s.request_id = r.source_id AND s.revision < r.revision`,
};

const again = `jsonb_to_recordset($1) AS r (source_id text, revision integer)`;
const rowsOf = (records: readonly Again[]) =>
  JSON.stringify(records.map(({ sourceId, revision }) => ({ source_id: sourceId, revision })));

/** Raises revisions, those of the outbox too, and makes what Odoo called stale due again. In a transaction of its own. */
export async function raiseStale(
  client: PoolClient,
  kind: RecordKind,
  records: readonly Again[],
): Promise<void> {
  const rows = rowsOf(records);
  await client.query(`WITH r AS (SELECT * FROM ${again}) ${raises[kind]}`, [rows]);
  await client.query(
    `UPDATE iot.outbox o SET revision = greatest(o.revision, r.revision), state = 'pending', attempts = 0,
       next_attempt_at = now(), leased_until = NULL, pending_since = now(), last_error = NULL
     FROM ${again} WHERE o.kind = $2 AND o.source_id = r.source_id AND o.state = 'stale'`,
    [rows, kind],
  );
  await wakeOutbox(client);
}

/** Puts records of a UTC day into the outbox once more, as they were last published, in these revisions or later ones. */
export async function putAgain(
  client: PoolClient,
  kind: DailyKind,
  day: string,
  records: readonly Again[],
): Promise<void> {
  const rows = rowsOf(records);
  await client.query(`WITH r AS (SELECT * FROM ${again}) ${raises[kind]}`, [rows]);
  await client.query(
    `INSERT INTO iot.outbox AS o (kind, source_id, revision, payload)
     SELECT $2, s.source_id, s.revision, s.record FROM (${published[kind]}) s JOIN ${again} ON r.source_id = s.source_id
     WHERE s.near >= $3::timestamptz - INTERVAL '1 day' AND s.near < $3::timestamptz + INTERVAL '2 days'
     ON CONFLICT (kind, source_id) DO UPDATE SET revision = excluded.revision, payload = excluded.payload, state = 'pending',
       attempts = 0, next_attempt_at = now(), pending_since = now(), last_error = NULL WHERE o.state = 'sent'`,
    [rows, kind, midnight(day)],
  );
  await wakeOutbox(client);
}

/** Records that Odoo called stale, oldest first. */
export async function staleRecords(db: Queryable, kind: RecordKind): Promise<Again[]> {
  const { rows } = await db.query<Again>(
    `SELECT source_id AS "sourceId", revision FROM iot.outbox WHERE state = 'stale' AND kind = $1 ORDER BY id LIMIT 1000`,
    [kind],
  );
  return rows;
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
