// How far devices' clocks are off, as the register keeps it.
import type { AlertRecord } from '../../contract/records.ts';
import type { PoolClient, Queryable } from './pool.ts';

/** Notes offsets (arrival minus device time, seconds) by device id. */
export async function noteClocks(client: Queryable, offsets: ReadonlyMap<number, number>): Promise<void> {
  if (offsets.size === 0) return;
  await client.query(
    `UPDATE iot.device d SET clock_offset_seconds = n.seconds
     FROM unnest($1::int[], $2::float8[]) AS n (id, seconds) WHERE d.id = n.id`,
    [[...offsets.keys()], [...offsets.values()].map((offset) => Math.round(offset * 10) / 10)],
  );
}

/** From which offset on a clock is an alert, seconds. */
export interface ClockLimits {
  ahead: number;
  behind: number;
}

/** A registered device whose wrong clock is not told yet. */
export interface DueClock {
  key: string;
  farmId: number;
  deviceId: number;
  farm: string;
  device_uid: string;
  seconds: number;
  since: Date;
}

/** Notes whose clock went wrong or right; returns those that nobody was told of. One that a person resolved is not raised again. */
export async function clocksDue(client: PoolClient, { ahead, behind }: ClockLimits): Promise<DueClock[]> {
  await client.query(
    `UPDATE iot.device d SET clock_off_since = CASE WHEN now.is_off THEN now() END
     FROM (SELECT id, coalesce(clock_offset_seconds < -$1::float8 OR clock_offset_seconds > $2::float8, false) AS is_off
           FROM iot.device) now
     WHERE now.id = d.id AND now.is_off <> (d.clock_off_since IS NOT NULL)`,
    [ahead, behind],
  );
  const { rows } = await client.query<DueClock>(
    `SELECT due.* FROM (
       SELECT f.code || '/' || d.device_uid || '/clock_off/' || extract(epoch FROM d.clock_off_since) AS key,
         d.farm_id AS "farmId", d.id AS "deviceId", f.code AS farm, d.device_uid, d.clock_offset_seconds AS seconds,
         d.clock_off_since AS since
       FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
       WHERE d.clock_off_since IS NOT NULL AND d.state = 'registered') due
     WHERE NOT EXISTS (SELECT FROM iot.alert a WHERE a.alert_key = due.key)`,
  );
  return rows;
}

/** Open alerts of this type whose device's clock is right again. */
export async function clocksOver(
  client: PoolClient,
  alertType: string,
): Promise<{ key: string; farmId: number; deviceId: number; record: AlertRecord }[]> {
  const { rows } = await client.query<{ key: string; farmId: number; deviceId: number; record: AlertRecord }>(
    `SELECT a.alert_key AS key, a.farm_id AS "farmId", a.device_id AS "deviceId", a.record
     FROM iot.alert a JOIN iot.device d ON d.id = a.device_id
     WHERE a.state <> 'resolved' AND a.alert_type = $1
       AND (d.clock_off_since IS NULL OR d.clock_off_since > a.raised_at + INTERVAL '1 second')`,
    [alertType],
  );
  return rows;
}

/** Notes by device id what could not be read of its messages. */
export async function noteUnread(client: Queryable, unread: ReadonlyMap<number, string>): Promise<void> {
  if (unread.size === 0) return;
  await client.query(
    `UPDATE iot.device d SET unread_field = n.field, unread_at = now()
     FROM unnest($1::int[], $2::text[]) AS n (id, field) WHERE d.id = n.id`,
    [[...unread.keys()], [...unread.values()].map((field) => field.replaceAll('\u0000', '\uFFFD'))],
  );
}
