// Who is there: states as they were last said, and the alerts that they call for.
import type { AlertRecord } from '../../contract/records.ts';
import type { PoolClient, Queryable } from './pool.ts';

/** What was said of a device, in the order of arrival. `removed`: it left its gateway's configuration. */
export interface PresenceRow {
  deviceId: number;
  state: string;
  detail: string | null;
  via: string | null;
  removed: boolean;
}

/** Keeps the last state of each device; no device twice. What says nothing new writes nothing. */
export async function notePresence(client: Queryable, rows: readonly PresenceRow[]): Promise<void> {
  const [removed, present] = [rows.filter((row) => row.removed), rows.filter((row) => !row.removed)];
  if (removed.length > 0) {
    const ids = removed.map((row) => row.deviceId);
    await client.query('DELETE FROM iot.device_presence WHERE device_id = ANY ($1)', [ids]);
  }
  if (present.length === 0) return;
  await client.query(
    `INSERT INTO iot.device_presence AS p (device_id, state, detail, via)
     SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[])
     ON CONFLICT (device_id) DO UPDATE SET state = excluded.state, detail = excluded.detail,
       since = CASE WHEN p.state = excluded.state THEN p.since ELSE now() END, via = coalesce(excluded.via, p.via)
     WHERE (p.state, p.detail, p.via) IS DISTINCT FROM (excluded.state, excluded.detail, coalesce(excluded.via, p.via))`,
    [
      present.map((row) => row.deviceId),
      present.map((row) => row.state),
      present.map((row) => row.detail),
      present.map((row) => row.via),
    ],
  );
}

/** An alert about presence that is due. */
export interface DuePresence {
  alert_key: string;
  farm_id: number;
  farm: string;
  device_id: number;
  device_uid: string;
  alert_type: string;
  detail: string | null;
  since: Date;
  /** Devices behind a gateway. */
  behind: number;
}

/** Alerts that have never been raised and are due. A person who resolved one has seen it: it is not raised again. */
export async function presenceDue(
  client: PoolClient,
  graceSeconds: { gateway: number; device: number },
): Promise<DuePresence[]> {
  const { rows } = await client.query<DuePresence>(
    `SELECT due.*, due.behind::int AS behind
     FROM iot.presence_due(make_interval(secs => $1::float8), make_interval(secs => $2::float8)) due
     WHERE NOT EXISTS (SELECT FROM iot.alert a WHERE a.alert_key = due.alert_key OR (
       a.device_id = due.device_id AND a.alert_type = due.alert_type AND a.state <> 'resolved'))`,
    [graceSeconds.gateway, graceSeconds.device],
  );
  return rows;
}

/** Open alerts of these types whose device is no longer offline, with the moment since when. */
export async function presenceOver(
  client: PoolClient,
  alertTypes: readonly string[],
): Promise<{ key: string; farmId: number; deviceId: number; record: AlertRecord; clearedAt: Date }[]> {
  const { rows } = await client.query<{
    key: string;
    farmId: number;
    deviceId: number;
    record: AlertRecord;
    clearedAt: Date;
  }>(
    `SELECT a.alert_key AS key, a.farm_id AS "farmId", a.device_id AS "deviceId", a.record,
       coalesce(p.since, now()) AS "clearedAt"
     FROM iot.alert a LEFT JOIN iot.device_presence p ON p.device_id = a.device_id
     WHERE a.state <> 'resolved' AND a.alert_type = ANY ($1)
       AND (p.state IS DISTINCT FROM 'offline' OR p.since > a.raised_at + INTERVAL '1 second')`,
    [alertTypes],
  );
  return rows;
}
