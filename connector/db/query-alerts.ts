// Alerts for queries: pages of them, and what happened to one.
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** Which alerts; what is undefined does not matter. */
export interface AlertFilter {
  id?: number | undefined;
  farm?: string | undefined;
  deviceUid?: string | undefined;
  severity?: string | undefined;
  type?: string | undefined;
  states?: readonly string[] | undefined;
  /** Raised from here on, and until here (inclusive). */
  start?: Date | undefined;
  end?: Date | undefined;
  /** Only ids below this one: the next page. */
  cursor?: number | undefined;
}

/** An alert as apps show it. */
export type AlertRow = Record<string, unknown> & { id: number };

/** Alerts, the one that was raised last first. */
export function listAlerts(db: Queryable, filter: AlertFilter, limit: number): Promise<AlertRow[]> {
  return rowsOf<AlertRow>(
    db,
    'alerts',
    `SELECT a.id, d.device_uid, d.name AS device_name, f.code AS farm, a.alert_type, a.severity, a.message,
       a.state, iot.iso(a.raised_at) AS created_at, iot.iso(k.time) AS acknowledged_at, k.detail AS acknowledged_by,
       iot.iso(a.cleared_at) AS cleared_at, (a.record ->> 'trigger_value')::float8 AS trigger_value,
       (a.record ->> 'threshold_value')::float8 AS threshold_value, a.record ->> 'unit' AS unit, a.record ->> 'rfid' AS rfid,
       a.record ->> 'milk_session' AS milking
     FROM iot.alert a JOIN iot.farm f ON f.id = a.farm_id LEFT JOIN iot.device d ON d.id = a.device_id
     LEFT JOIN LATERAL (SELECT e.time, e.detail FROM iot.alert_event e
       WHERE e.alert_id = a.id AND e.state = 'acknowledged' ORDER BY e.detail IS NULL, e.time DESC LIMIT 1) k ON true
     WHERE ($1::bigint IS NULL OR a.id = $1) AND ($2::text IS NULL OR f.code = $2)
       AND ($3::text IS NULL OR d.device_uid = $3) AND ($4::text IS NULL OR a.severity = $4)
       AND ($5::text IS NULL OR a.alert_type = $5) AND ($6::text[] IS NULL OR a.state = ANY ($6))
       AND ($7::timestamptz IS NULL OR a.raised_at >= $7) AND ($8::timestamptz IS NULL OR a.raised_at <= $8)
       AND ($9::bigint IS NULL OR a.id < $9)
     ORDER BY a.id DESC LIMIT $10`,
    [
      filter.id ?? null,
      filter.farm ?? null,
      filter.deviceUid ?? null,
      filter.severity ?? null,
      filter.type ?? null,
      filter.states ?? null,
      filter.start ?? null,
      filter.end ?? null,
      filter.cursor ?? null,
      limit,
    ],
  );
}

/** What happened to an alert, oldest first. */
export function alertEvents(
  db: Queryable,
  id: number,
): Promise<{ time: string; state: string; detail: string | null }[]> {
  return rowsOf(
    db,
    'alert-events',
    'SELECT iot.iso(e.time) AS time, e.state, e.detail FROM iot.alert_event e WHERE e.alert_id = $1 ORDER BY e.time',
    [id],
  );
}
