// What Odoo sends by itself: signatures that were used, and webhook events until they are worked on.
import type { Queryable } from './pool.ts';

/** Notes a signature; false when it was used before. Old ones are dropped: outside the window they are refused anyway. */
export async function takeSignature(db: Queryable, digest: string, windowS: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `WITH old AS (DELETE FROM iot.odoo_signature WHERE at < now() - make_interval(secs => $2))
     INSERT INTO iot.odoo_signature (signature) VALUES ($1) ON CONFLICT DO NOTHING`,
    // A clock may be ahead by the window as well as behind.
    [digest, 2 * windowS],
  );
  return rowCount === 1;
}

/** A stored event. */
export interface OdooEvent {
  id: number;
  model: string;
  recordId: number | null;
  payload: Record<string, unknown>;
  attempts: number;
}

/** Stores an event as it came. */
export async function storeEvent(
  db: Queryable,
  event: { model: string; recordId: number | null; payload: unknown },
): Promise<void> {
  await db.query('INSERT INTO iot.odoo_event (model, record_id, payload) VALUES ($1, $2, $3)', [
    event.model,
    event.recordId,
    JSON.stringify(event.payload),
  ]);
}

/** The oldest events that wait. */
export async function pendingEvents(db: Queryable, limit: number): Promise<OdooEvent[]> {
  const { rows } = await db.query<OdooEvent>(
    `SELECT id, model, record_id AS "recordId", payload, attempts
     FROM iot.odoo_event WHERE state = 'pending' ORDER BY id LIMIT $1`,
    [limit],
  );
  return rows;
}

/** What became of an event. `pending` counts an attempt and leaves it. */
export async function settleEvent(
  db: Queryable,
  id: number,
  state: 'done' | 'unknown' | 'failed' | 'pending',
  detail: string | null,
): Promise<void> {
  await db.query('UPDATE iot.odoo_event SET state = $2, detail = $3, attempts = attempts + 1 WHERE id = $1', [
    id,
    state,
    detail,
  ]);
}

/** Deletes events that are not waiting and are older than `days`. */
export async function purgeEvents(db: Queryable, days: number): Promise<void> {
  await db.query(
    `DELETE FROM iot.odoo_event WHERE state <> 'pending' AND received_at < now() - make_interval(days => $1)`,
    [days],
  );
}

/** Acknowledges or resolves an alert by its key, as a person did in Odoo. No record goes out: it came from there. */
export async function setAlertState(
  db: Queryable,
  alertKey: string,
  state: 'acknowledged' | 'resolved',
): Promise<boolean> {
  const { rowCount } = await db.query(
    `WITH changed AS (
       UPDATE iot.alert SET state = $2, record = jsonb_set(record, '{state}', to_jsonb($2::text))
       WHERE alert_key = $1 AND state <> 'resolved' AND state <> $2 RETURNING id)
     INSERT INTO iot.alert_event (alert_id, state, detail) SELECT id, $2, 'by a person in Odoo' FROM changed`,
    [alertKey, state],
  );
  return (rowCount ?? 0) > 0;
}

/** The latest reading of each metric of devices, named `farm/uid`. Reads at most so many hours back. */
export async function latestValues(
  db: Queryable,
  devices: readonly string[],
  hours: number,
): Promise<{ device: string; metric: string; unit: string; value: number; quality: number; time: Date }[]> {
  const { rows } = await db.query<{
    device: string;
    metric: string;
    unit: string;
    value: number;
    quality: number;
    time: Date;
  }>(
    `SELECT f.code || '/' || d.device_uid AS device, m.name AS metric, m.unit, r.value, r.quality, r.time
     FROM unnest($1::text[]) AS w (device)
     JOIN iot.farm f ON f.code = split_part(w.device, '/', 1)
     JOIN iot.device d ON d.farm_id = f.id AND d.device_uid = substr(w.device, length(f.code) + 2)
     CROSS JOIN iot.metric m
     CROSS JOIN LATERAL (
       SELECT value, quality, time FROM iot.reading
       WHERE device_id = d.id AND metric_id = m.id AND time > now() - make_interval(hours => $2)
       ORDER BY time DESC LIMIT 1) r
     ORDER BY 1, 2`,
    [devices, hours],
  );
  return rows;
}

/** Means of each metric of devices per 15 minutes, of the last hours: `points` are `[Unix seconds, mean]`, oldest first. */
export async function recentSeries(
  db: Queryable,
  devices: readonly string[],
  hours: number,
): Promise<{ device: string; metric: string; points: [number, number][] }[]> {
  const { rows } = await db.query<{ device: string; metric: string; points: [number, number][] }>(
    `SELECT w.device, m.name AS metric,
       json_agg(json_build_array(extract(epoch FROM r.bucket)::bigint, r.avg) ORDER BY r.bucket) AS points
     FROM unnest($1::text[]) AS w (device)
     JOIN iot.farm f ON f.code = split_part(w.device, '/', 1)
     JOIN iot.device d ON d.farm_id = f.id AND d.device_uid = substr(w.device, length(f.code) + 2)
     CROSS JOIN LATERAL (
       SELECT metric_id, bucket, avg FROM iot.reading_15min
       WHERE device_id = d.id AND bucket > now() - make_interval(hours => $2)) r
     JOIN iot.metric m ON m.id = r.metric_id
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [devices, hours],
  );
  return rows;
}
