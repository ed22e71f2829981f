// Data quality per device and day.
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** Works out the quality of the last days (UTC), today included. Returns how many device days there are. */
export async function refreshQuality(db: Queryable, days: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `SELECT sum(iot.refresh_device_quality(d::date))::int AS n
     FROM generate_series((now() AT TIME ZONE 'UTC')::date - ($1::int - 1), (now() AT TIME ZONE 'UTC')::date, INTERVAL '1 day') d`,
    [days],
  );
  return rows[0]?.n ?? 0;
}

/** Quality of a device on a UTC day. `other`: flagged by the device, or its clock was not synchronised. */
export interface DeviceDay {
  date: string;
  device_uid: string;
  farm: string;
  score: number;
  readings: number;
  good: number;
  out_of_range: number;
  rate_of_change: number;
  stuck: number;
  other: number;
  gap_seconds: number;
}

/** At most `limit` device days of the last `days`, today included: newest day first, worst device first. */
export const deviceQuality = (
  db: Queryable,
  filter: { uids: readonly string[] | undefined; farm: string | undefined; days: number },
  limit: number,
): Promise<DeviceDay[]> =>
  rowsOf<DeviceDay>(
    db,
    'device-quality',
    `SELECT to_char(q.day, 'YYYY-MM-DD') AS date, d.device_uid, f.code AS farm, q.score, q.readings, q.good,
       q.out_of_range, q.rate_of_change, q.stuck, q.other, q.gap_seconds
     FROM iot.device_quality q JOIN iot.device d ON d.id = q.device_id JOIN iot.farm f ON f.id = d.farm_id
     WHERE q.day > (now() AT TIME ZONE 'UTC')::date - $1::int AND ($2::text[] IS NULL OR d.device_uid = ANY ($2))
       AND ($3::text IS NULL OR f.code = $3)
     ORDER BY q.day DESC, q.score, f.code, d.device_uid LIMIT $4`,
    [filter.days, filter.uids ?? null, filter.farm ?? null, limit],
  );
