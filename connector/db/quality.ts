// Data quality per device and day.
import type { Queryable } from './pool.ts';

/** Works out the quality of the last days (UTC), today included. Returns how many device days there are. */
export async function refreshQuality(db: Queryable, days: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `SELECT sum(iot.refresh_device_quality(d::date))::int AS n
     FROM generate_series((now() AT TIME ZONE 'UTC')::date - ($1::int - 1), (now() AT TIME ZONE 'UTC')::date, INTERVAL '1 day') d`,
    [days],
  );
  return rows[0]?.n ?? 0;
}
