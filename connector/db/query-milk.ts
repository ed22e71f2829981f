// Milkings for queries: production by hour or day, quality by day, in the farm's time zone. Means are weighted by yield.
import type { MilkSessionRecord } from '../../contract/records.ts';
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** Which milkings; complete ones only. */
export interface MilkRange {
  farm: string | undefined;
  start: Date;
  end: Date;
}

const mean = (field: string) =>
  `sum((record->>'${field}')::float8 * yield_kg) / nullif(sum(yield_kg) FILTER (WHERE record->>'${field}' IS NOT NULL), 0)`;

const milkings = `iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id CROSS JOIN (SELECT timezone FROM iot.storage) z
  WHERE s.complete AND s.record IS NOT NULL AND s.started_at >= $1 AND s.started_at <= $2 AND ($3::text IS NULL OR f.code = $3)`;

const zone = 'coalesce(f.timezone, z.timezone)';
const day = `iot.milking_day(s.started_at, ${zone})`;

const values = ({ start, end, farm }: MilkRange) => [start, end, farm ?? null];

/** Milk of an hour or a day. */
export interface Production {
  timestamp: string;
  yieldKg: number;
  milkings: number;
  fat: number | null;
  protein: number | null;
}

const buckets = {
  hour: `date_trunc('hour', s.started_at, ${zone})`,
  day: `iot.day_start(${day}, ${zone})`,
} as const;

/** Production in buckets that begin on the hour or day of the farm's time zone. */
export const milkProduction = (
  db: Queryable,
  bucket: keyof typeof buckets,
  range: MilkRange,
): Promise<Production[]> =>
  rowsOf<Production>(
    db,
    `milk-production-${bucket}`,
    `SELECT iot.iso(${buckets[bucket]}) AS timestamp, sum(yield_kg) AS "yieldKg", count(*)::int AS milkings,
       ${mean('fat_pct')} AS fat, ${mean('protein_pct')} AS protein
     FROM ${milkings} GROUP BY 1 ORDER BY 1`,
    values(range),
  );

/** Quality of a day's milk. */
export interface DailyQuality {
  date: string;
  fat: number | null;
  protein: number | null;
  scc: number | null;
  conductivity: number | null;
  yieldKg: number;
  animals: number;
}

/** Quality by day of the farm's time zone. */
export const milkQuality = (db: Queryable, range: MilkRange): Promise<DailyQuality[]> =>
  rowsOf<DailyQuality>(
    db,
    'milk-quality',
    `SELECT to_char(${day}, 'YYYY-MM-DD') AS date, ${mean('fat_pct')} AS fat, ${mean('protein_pct')} AS protein,
       ${mean('scc_per_ml')} AS scc, ${mean('conductivity_ms_cm')} AS conductivity, sum(yield_kg) AS "yieldKg",
       count(DISTINCT (s.farm_id, coalesce(s.rfid, s.animal_ref)))::int AS animals
     FROM ${milkings} GROUP BY 1 ORDER BY 1`,
    values(range),
  );

/** The latest published milkings, newest first. */
export async function latestMilkings(
  db: Queryable,
  limit: number,
): Promise<{ source_id: string; revision: number; record: MilkSessionRecord }[]> {
  const { rows } = await db.query<{ source_id: string; revision: number; record: MilkSessionRecord }>(
    `SELECT (record->>'farm') || '/' || (record->>'device_uid') || '/' || session_key AS source_id, revision, record
     FROM iot.milk_session WHERE revision > 0 AND NOT retired ORDER BY started_at DESC LIMIT $1`,
    [limit],
  );
  return rows;
}
