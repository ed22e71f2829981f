// Alerts in the database, and their records in the outbox.
import type { AlertRecord } from '../../contract/records.ts';
import { outboxPut } from './outbox.ts';
import type { PoolClient } from './pool.ts';

/** An alert to raise or change. `key` is its source_id. */
export interface AlertChange {
  key: string;
  farmId: number;
  deviceId: number | null;
  milkSessionId: number | null;
  record: AlertRecord;
}

interface StoredAlert {
  alert_key: string;
  milk_session_id: number;
  record: AlertRecord;
}

/** The alerts of these milkings. */
export async function alertsOfMilkings(client: PoolClient, ids: readonly number[]): Promise<StoredAlert[]> {
  const { rows } = await client.query<StoredAlert>({
    name: 'alerts of milkings',
    text: 'SELECT alert_key, milk_session_id, record FROM iot.alert WHERE milk_session_id = ANY ($1)',
    values: [ids],
  });
  return rows;
}

/** Keys of the alerts of a type that are not resolved. */
export async function openAlertKeys(client: PoolClient, alertType: string): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ alert_key: string }>(
    `SELECT alert_key FROM iot.alert WHERE state <> 'resolved' AND alert_type = $1`,
    [alertType],
  );
  return new Set(rows.map((row) => row.alert_key));
}

/** What a person has said of an alert stays said. */
const keptState = 'iot.alert_state(excluded.state, a.state, a.cleared_at, a.milk_session_id)';
const keptRecord = `jsonb_set(excluded.record, '{state}', to_jsonb(${keptState}))`;

/**
 * Raises new alerts and changes known ones (next revision), notes it in iot.alert_event and puts the records into the outbox;
 * those of a device that nobody has registered when somebody does.
 */
export async function putAlerts(client: PoolClient, changes: readonly AlertChange[]): Promise<void> {
  if (changes.length === 0) return;
  await client.query({
    name: 'put alerts',
    text: `WITH put AS (
       INSERT INTO iot.alert AS a (alert_key, farm_id, device_id, milk_session_id, record, alert_type, severity, state,
         message, raised_at, cleared_at)
       SELECT c.key, c.farm_id, c.device_id, c.session_id, c.record, r.alert_type, r.severity, r.state, r.message,
         r.raised_at, r.cleared_at
       FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::jsonb[]) AS c (key, farm_id, device_id, session_id, record)
       CROSS JOIN LATERAL jsonb_to_record(c.record) AS r (alert_type text, severity text, state text, message text,
         raised_at timestamptz, cleared_at timestamptz)
       ON CONFLICT (alert_key) DO UPDATE SET record = ${keptRecord}, severity = excluded.severity,
         state = ${keptState}, message = excluded.message, cleared_at = excluded.cleared_at, revision = a.revision + 1
       WHERE a.record IS DISTINCT FROM ${keptRecord}
       RETURNING id, alert_key AS source_id, revision, record, state, device_id
     ), noted AS (
       INSERT INTO iot.alert_event (alert_id, state) SELECT id, state FROM put
     ), told AS (SELECT * FROM put WHERE iot.is_told(device_id))
     ${outboxPut('alert', 'told')}`,
    values: [
      changes.map((change) => change.key),
      changes.map((change) => change.farmId),
      changes.map((change) => change.deviceId),
      changes.map((change) => change.milkSessionId),
      changes.map((change) => JSON.stringify(change.record)),
    ],
  });
}

/** Acknowledges an alert that is new, for whom it says so, and puts it into the outbox; one that is not stays as it is. */
export async function acknowledgeAlert(client: PoolClient, id: number, by: string): Promise<void> {
  await client.query(
    `WITH put AS (
       UPDATE iot.alert SET state = 'acknowledged', revision = revision + 1,
         record = jsonb_set(record, '{state}', '"acknowledged"')
       WHERE id = $1 AND state = 'new' RETURNING id, alert_key AS source_id, revision, record, device_id
     ), noted AS (
       INSERT INTO iot.alert_event (alert_id, state, detail) SELECT id, 'acknowledged', $2 FROM put
     ), told AS (SELECT * FROM put WHERE iot.is_told(device_id))
     ${outboxPut('alert', 'told')}`,
    [id, by],
  );
}
