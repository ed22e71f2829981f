// Time zones by which people write times of a farm.
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** The zones (IANA) of that farm, or of all farms: their own of Odoo, else `milk.timezone`. No farm has that one too. */
export async function farmZones(db: Queryable, farm: string | undefined): Promise<string[]> {
  const rows = await rowsOf<{ zone: string }>(
    db,
    'zones-of-farms',
    `SELECT DISTINCT coalesce(f.timezone, s.timezone) AS zone
     FROM iot.storage s LEFT JOIN iot.farm f ON CASE WHEN $1::text IS NULL THEN f.active ELSE f.code = $1 END ORDER BY 1`,
    [farm ?? null],
  );
  return rows.map(({ zone }) => zone);
}
