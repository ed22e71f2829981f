// What devices said of themselves: one row a change.
import type { Queryable } from './pool.ts';

/** A status message. `at` in epoch ms. */
export interface StatusRow {
  deviceId: number;
  at: number;
  state: string;
  detail: string | null;
}

/** Stores the statuses that differ from the device's previous one. */
export async function insertStatuses(client: Queryable, rows: readonly StatusRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO iot.device_status (device_id, time, state, detail)
     SELECT n.* FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[]) AS n (device_id, time, state, detail)
     LEFT JOIN LATERAL (SELECT state, detail FROM iot.device_status s WHERE s.device_id = n.device_id
                        ORDER BY time DESC LIMIT 1) last ON true
     WHERE (last.state, last.detail) IS DISTINCT FROM (n.state, n.detail)
     ON CONFLICT DO NOTHING`,
    [
      rows.map((row) => row.deviceId),
      rows.map((row) => new Date(row.at)),
      rows.map((row) => row.state),
      rows.map((row) => row.detail),
    ],
  );
}
