// Readings for queries: the latest, pages of raw values and of rollups, charts.
import { rowsOf } from './query-rows.ts';
import type { Queryable } from './pool.ts';

/** How finely: every value, or buckets. */
export type Level = 'raw' | '15min' | 'hourly' | 'daily';

/** Length of a level's buckets, ms. */
export const bucketMs: Readonly<Record<Exclude<Level, 'raw'>, number>> = {
  '15min': 900_000,
  hourly: 3_600_000,
  daily: 86_400_000,
};

const views = { '15min': 'iot.reading_15min', hourly: 'iot.reading_1h', daily: 'iot.reading_1d' } as const;

/** The latest reading of each metric of a device, within 7 days of its last sign of life; further back only when there is none. */
export async function latestReadings(
  db: Queryable,
  deviceId: number,
  heardAt: Date | null,
): Promise<
  { metric_name: string; metric_value: number; metric_unit: string; time: string; quality: number }[]
> {
  const ask = (start: Date | null) =>
    rowsOf<{ metric_name: string; metric_value: number; metric_unit: string; time: string; quality: number }>(
      db,
      'latest-readings',
      `SELECT m.name AS metric_name, r.value AS metric_value, m.unit AS metric_unit, iot.iso(r.time) AS time, r.quality
       FROM iot.metric m CROSS JOIN LATERAL (
         SELECT time, value, quality FROM iot.reading
         WHERE device_id = $1 AND metric_id = m.id AND time >= $2 ORDER BY time DESC LIMIT 1) r
       ORDER BY r.time DESC, m.name`,
      [deviceId, start ?? '-infinity'],
    );
  const near = await ask(new Date((heardAt?.getTime() ?? Date.now()) - 7 * 86_400_000));
  return near.length > 0 ? near : ask(null);
}

/** A value of a series; of buckets `value` is the mean. */
export interface SeriesRow {
  time: Date;
  value: number;
  quality?: number;
  n?: number;
  min?: number;
  max?: number;
  first?: number;
  last?: number;
  stddev?: number | null;
  p05?: number | null;
  median?: number | null;
  p95?: number | null;
}

/** Levels that have percentiles. */
const percentiles = { hourly: 'iot.percentile_1h', daily: 'iot.percentile_1d' } as const;

/** True for levels that have percentiles. */
export const hasPercentiles = (level: Level): level is keyof typeof percentiles => level in percentiles;

/** Which series. `end` is inclusive; with `cursor` only what is younger. `percentiles` where the level has them. */
export interface SeriesRange {
  deviceId: number;
  metricId: number;
  level: Level;
  start: Date;
  end: Date;
  cursor: Date | undefined;
  percentiles: boolean;
}

/** At most `limit` values of a series, oldest first. */
export function seriesPage(db: Queryable, range: SeriesRange, limit: number): Promise<SeriesRow[]> {
  const { deviceId, metricId, level, start, end, cursor } = range;
  const values = [deviceId, metricId, start, end, cursor ?? null, limit];
  if (level === 'raw')
    return rowsOf<SeriesRow>(
      db,
      'series-raw',
      `SELECT time, value, quality FROM iot.reading WHERE device_id = $1 AND metric_id = $2 AND time >= $3 AND time <= $4
         AND time > coalesce($5, '-infinity'::timestamptz) ORDER BY time LIMIT $6`,
      values,
    );
  const chosen = `device_id = $1 AND metric_id = $2 AND bucket >= iot.bucket_of($7::interval, $3) AND bucket <= $4
       AND bucket > coalesce($5, '-infinity'::timestamptz)`;
  const page = `SELECT bucket AS time, avg AS value, n, min, max, first, last, stddev FROM ${views[level]}
     WHERE ${chosen} ORDER BY bucket LIMIT $6`;
  const pageValues = [...values, `${bucketMs[level] / 1000} s`];
  if (!range.percentiles || !hasPercentiles(level))
    return rowsOf<SeriesRow>(db, `series-${level}`, page, pageValues);
  // Those of other readings than the bucket's are out of date, and null until they are worked out again.
  return rowsOf<SeriesRow>(
    db,
    `series-${level}-percentiles`,
    `SELECT page.*, p05, median, p95 FROM (${page}) page
     LEFT JOIN (SELECT * FROM ${percentiles[level]} WHERE ${chosen}) known ON known.bucket = page.time AND known.n = page.n
     ORDER BY time`,
    pageValues,
  );
}

/** Readings of a device, newest first, of all metrics or one. */
export function deviceReadings(
  db: Queryable,
  device: { id: number; farm: string; deviceUid: string },
  filter: { metricId: number | undefined; start: Date; end: Date },
  limit: number,
): Promise<Record<string, unknown>[]> {
  return rowsOf(
    db,
    'device-readings',
    `SELECT $6 || '/' || m.name || '/' || iot.iso(r.time) AS id, $7 AS device_uid, iot.iso(r.time) AS timestamp, r.value, m.unit,
       m.name AS reading_type, r.quality
     FROM iot.metric m CROSS JOIN LATERAL (
       SELECT time, value, quality FROM iot.reading
       WHERE device_id = $1 AND metric_id = m.id AND time >= $3 AND time <= $4 ORDER BY time DESC LIMIT $5) r
     WHERE $2::int IS NULL OR m.id = $2 ORDER BY r.time DESC, m.name LIMIT $5`,
    [
      device.id,
      filter.metricId ?? null,
      filter.start,
      filter.end,
      limit,
      `${device.farm}/${device.deviceUid}`,
      device.deviceUid,
    ],
  );
}

/** Mean, least and greatest value in buckets of `seconds`, from `source`, over the last `spanSeconds`. */
export function chart(
  db: Queryable,
  series: { deviceId: number; metricId: number },
  { source, seconds, spanSeconds }: { source: Level; seconds: number; spanSeconds: number },
): Promise<{ timestamp: string; avg: number; min: number; max: number }[]> {
  const from =
    source === 'raw'
      ? `(SELECT time AS bucket, 1 AS n, value AS sum, value AS min, value AS max, device_id, metric_id FROM iot.reading
          WHERE quality = 0) r`
      : views[source];
  return rowsOf(
    db,
    `chart-${source}`,
    `SELECT iot.iso(iot.bucket_of(make_interval(secs => $3), bucket)) AS timestamp, sum(sum) / sum(n) AS avg, min(min), max(max)
     FROM ${from} WHERE device_id = $1 AND metric_id = $2 AND bucket > now() - make_interval(secs => $4)
     GROUP BY 1 ORDER BY 1`,
    [series.deviceId, series.metricId, seconds, spanSeconds],
  );
}

/** Daily (UTC) temperature of devices: mean, extremes, and how many alerts were raised. Without ids all of type temperature. */
export function temperatureTrends(
  db: Queryable,
  filter: { uids: readonly string[] | undefined; farm: string | undefined; days: number },
): Promise<
  {
    date: string;
    device_uid: string;
    farm: string;
    avg_temp: number;
    min_temp: number;
    max_temp: number;
    alarm_count: number;
  }[]
> {
  return rowsOf(
    db,
    'temperature-trends',
    `SELECT to_char(r.bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, d.device_uid, f.code AS farm,
       r.avg AS avg_temp, r.min AS min_temp, r.max AS max_temp,
       (SELECT count(*) FROM iot.alert a WHERE a.device_id = d.id AND a.raised_at >= r.bucket
          AND a.raised_at < r.bucket + INTERVAL '1 day')::int AS alarm_count
     FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id CROSS JOIN LATERAL (
       SELECT bucket, avg, min, max FROM iot.reading_1d
       WHERE device_id = d.id AND metric_id = (SELECT id FROM iot.metric WHERE name = 'temperature')
         AND bucket > now() - make_interval(days => $3)) r
     WHERE CASE WHEN $1::text[] IS NULL THEN d.device_type = 'temperature' ELSE d.device_uid = ANY ($1) END
       AND ($2::text IS NULL OR f.code = $2)
     ORDER BY r.bucket, f.code, d.device_uid`,
    [filter.uids ?? null, filter.farm ?? null, filter.days],
  );
}
