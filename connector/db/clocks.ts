// How far devices' clocks are off, as the register keeps it.
import type { AlertRecord } from '../../contract/records.ts';
import type { PoolClient, Queryable } from './pool.ts';

/**
 * Notes offsets (arrival minus device time, seconds) by device id. Data that comes sooner than a clock is said to be behind proves that
 * it was set since.
 */
export async function noteClocks(client: Queryable, offsets: ReadonlyMap<number, number>): Promise<void> {
  if (offsets.size === 0) return;
  await client.query(
    `UPDATE iot.device d SET clock_offset_seconds = n.seconds,
       clock_behind_seconds = CASE WHEN n.seconds > d.clock_behind_seconds - 60 THEN d.clock_behind_seconds END
     FROM unnest($1::int[], $2::float8[]) AS n (id, seconds) WHERE d.id = n.id`,
    [[...offsets.keys()], [...offsets.values()].map((offset) => Math.round(offset * 10) / 10)],
  );
}

/** A device's answer to a command. `at` (epoch ms) is what the device says. */
export interface CommandAnswer {
  deviceId: number;
  requestId: string;
  at: number;
}

/**
 * Notes how far clocks are behind at least. Late data and a slow clock look alike, but nobody answers before the question: an answer
 * that is dated before its command is no late one. An answer that is not, takes it back. No device twice.
 */
export async function noteAnswers(client: Queryable, answers: readonly CommandAnswer[]): Promise<void> {
  if (answers.length === 0) return;
  await client.query(
    `UPDATE iot.device d SET clock_behind_seconds = b.seconds
     FROM (SELECT c.device_id, nullif(greatest(round(extract(epoch FROM c.requested_at) - n.at), 0), 0)::float8 AS seconds
           FROM unnest($1::int[], $2::text[], $3::float8[]) AS n (device_id, request_id, at)
           JOIN iot.command c ON c.request_id = n.request_id AND c.device_id = n.device_id) b
     WHERE d.id = b.device_id AND d.clock_behind_seconds IS DISTINCT FROM b.seconds`,
    [
      answers.map(({ deviceId }) => deviceId),
      answers.map(({ requestId }) => requestId),
      answers.map(({ at }) => at / 1_000),
    ],
  );
}

/** From which offset on a clock is an alert, seconds. `behind`: of its data, `provenBehind`: of its answers to commands. */
export interface ClockLimits {
  ahead: number;
  behind: number;
  provenBehind: number;
}

/** A registered device whose wrong clock is not told yet. */
export interface DueClock {
  key: string;
  farmId: number;
  deviceId: number;
  farm: string;
  device_uid: string;
  seconds: number;
  /** By an answer to a command: what it says is taken, at the times that it says. */
  isProven: boolean;
  since: Date;
}

/** Notes whose clock went wrong or right; returns those that nobody was told of. One that a person resolved is not raised again. */
export async function clocksDue(
  client: PoolClient,
  { ahead, behind, provenBehind }: ClockLimits,
): Promise<DueClock[]> {
  await client.query(
    `UPDATE iot.device d SET clock_off_since = CASE WHEN now.is_off THEN now() END
     FROM (SELECT id, coalesce(clock_offset_seconds < -$1::float8 OR clock_offset_seconds > $2::float8
             OR clock_behind_seconds > $3::float8, false) AS is_off
           FROM iot.device) now
     WHERE now.id = d.id AND now.is_off <> (d.clock_off_since IS NOT NULL)`,
    [ahead, behind, provenBehind],
  );
  const { rows } = await client.query<DueClock>(
    `SELECT due.* FROM (
       SELECT f.code || '/' || d.device_uid || '/clock_off/' || extract(epoch FROM d.clock_off_since) AS key,
         d.farm_id AS "farmId", d.id AS "deviceId", f.code AS farm, d.device_uid, d.clock_off_since AS since,
         CASE WHEN off.is_proven THEN d.clock_behind_seconds ELSE d.clock_offset_seconds END AS seconds,
         off.is_proven AS "isProven"
       FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
       CROSS JOIN LATERAL (SELECT NOT coalesce(d.clock_offset_seconds < -$1::float8 OR d.clock_offset_seconds > $2::float8,
         false) AS is_proven) off
       WHERE d.clock_off_since IS NOT NULL AND d.state = 'registered') due
     WHERE NOT EXISTS (SELECT FROM iot.alert a WHERE a.alert_key = due.key)`,
    [ahead, behind],
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
