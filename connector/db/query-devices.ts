// Devices for queries: one by its uid, cards with their latest values, the sums of a dashboard.
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** A device as queries need it. `heardAt` is its last sign of life. */
export interface KnownDevice {
  id: number;
  farm: string;
  deviceUid: string;
  deviceType: string;
  state: 'discovered' | 'registered' | 'rejected';
  profile: string | null;
  heardAt: Date | null;
}

/** A metric of the catalogue; null when there is none of that name. */
export interface KnownMetric {
  id: number;
  unit: string;
}

/** Devices of that uid, one a farm, each with the metric that was asked for as well: one way to the database and not two. */
export const findDevices = (
  db: Queryable,
  uid: string,
  farm: string | undefined,
  metric?: string,
): Promise<(KnownDevice & { metric: KnownMetric | null })[]> =>
  rowsOf<KnownDevice & { metric: KnownMetric | null }>(
    db,
    'devices-of-uid',
    `SELECT d.id, f.code AS farm, d.device_uid AS "deviceUid", d.device_type AS "deviceType",
       d.state, d.profile, d.last_seen AS "heardAt",
       (SELECT json_build_object('id', m.id, 'unit', m.unit) FROM iot.metric m WHERE m.name = $3) AS metric
     FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
     WHERE d.device_uid = $1 AND ($2::text IS NULL OR f.code = $2) ORDER BY f.code`,
    [uid, farm ?? null, metric ?? null],
  );

/** Which devices; what is undefined does not matter. */
export interface DeviceFilter {
  ids?: readonly number[] | undefined;
  farm?: string | undefined;
  type?: string | undefined;
  /** Only ids above this one: the next page. */
  cursor?: number | undefined;
}

/** A device counts as online when it was heard within this time. */
const online = `INTERVAL '5 minutes'`;

/** The latest good value of a metric within the last day. */
const latest = (metric: string, name: string) => `LEFT JOIN LATERAL (
    SELECT r.value FROM iot.reading r WHERE r.device_id = d.id AND r.metric_id = (SELECT id FROM iot.metric WHERE name = ${metric})
      AND r.time > now() - INTERVAL '1 day' AND r.quality = 0 ORDER BY r.time DESC LIMIT 1) ${name} ON true`;

/** Device cards in the order of their ids. `mainMetrics` has the metric to show by device type. */
export function deviceCards(
  db: Queryable,
  filter: DeviceFilter,
  mainMetrics: ReadonlyMap<string, string>,
  limit: number,
): Promise<(Record<string, unknown> & { id: number })[]> {
  return rowsOf(
    db,
    'device-cards',
    `SELECT d.id, d.device_uid, d.name, d.device_type, d.state, f.code AS farm, f.name AS farm_name,
       d.stall AS location_description, d.manufacturer, d.model, d.profile, iot.iso(d.last_seen) AS last_seen,
       coalesce(d.last_seen > now() - ${online}, false) AS is_online, rssi.value AS signal_strength,
       battery.value AS battery_level, d.clock_offset_seconds, iot.iso(d.clock_off_since) AS clock_off_since,
       d.unread_field, iot.iso(d.unread_at) AS unread_at, reach.state AS reach, reach.via AS gateway, main.value AS last_value, m.unit AS last_value_unit,
       (SELECT count(*) FROM iot.alert a WHERE a.device_id = d.id AND a.state <> 'resolved')::int AS alert_count
     FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
     LEFT JOIN unnest($5::text[], $6::text[]) AS shown (type, metric) ON shown.type = d.device_type
     LEFT JOIN iot.metric m ON m.name = shown.metric
     LEFT JOIN iot.device_reach reach ON reach.device_id = d.id
     ${latest(`'rssi'`, 'rssi')} ${latest(`'battery'`, 'battery')} ${latest('shown.metric', 'main')}
     WHERE ($1::int[] IS NULL OR d.id = ANY ($1)) AND ($2::text IS NULL OR f.code = $2)
       AND ($3::text IS NULL OR d.device_type = $3) AND ($4::int IS NULL OR d.id > $4)
     ORDER BY d.id LIMIT $7`,
    [
      filter.ids ?? null,
      filter.farm ?? null,
      filter.type ?? null,
      filter.cursor ?? null,
      [...mainMetrics.keys()],
      [...mainMetrics.values()],
      limit,
    ],
  );
}

/** Sums of the dashboard; temperature is the mean of the last hour, milk (kg) that of the day in the farm's time zone. */
export async function dashboardSums(
  db: Queryable,
  farm: string | undefined,
): Promise<{
  total: number;
  online: number;
  alerts: Record<string, number>;
  temperature: number | null;
  milkKg: number;
}> {
  const [row] = await rowsOf<{
    total: number;
    online: number;
    alerts: Record<string, number>;
    temperature: number | null;
    milkKg: number;
  }>(
    db,
    'dashboard-sums',
    `WITH chosen AS (SELECT d.id, d.device_type, d.last_seen FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
                     WHERE $1::text IS NULL OR f.code = $1)
     SELECT (SELECT count(*) FROM chosen)::int AS total,
       (SELECT count(*) FROM chosen WHERE last_seen > now() - ${online})::int AS online,
       (SELECT coalesce(jsonb_object_agg(severity, n), '{}') FROM (
          SELECT a.severity, count(*) AS n FROM iot.alert a JOIN iot.farm f ON f.id = a.farm_id
          WHERE a.state = 'new' AND a.raised_at > now() - INTERVAL '24 hours' AND ($1::text IS NULL OR f.code = $1)
          GROUP BY 1) s) AS alerts,
       (SELECT sum(r.sum) / sum(r.n) FROM chosen c CROSS JOIN LATERAL (
          SELECT sum(value) AS sum, count(value) AS n FROM iot.reading
          WHERE device_id = c.id AND metric_id = (SELECT id FROM iot.metric WHERE name = 'temperature')
            AND time > now() - INTERVAL '1 hour' AND quality = 0) r
        WHERE c.device_type = 'temperature') AS temperature,
       (SELECT coalesce(sum(s.yield_kg), 0) FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id
          CROSS JOIN LATERAL (SELECT coalesce(f.timezone, timezone) AS zone FROM iot.storage) z
        WHERE s.started_at > now() - INTERVAL '26 hours'
          AND s.started_at >= iot.day_start(iot.milking_day(now(), z.zone), z.zone) AND s.complete AND ($1::text IS NULL OR f.code = $1)) AS "milkKg"`,
    [farm ?? null],
  );
  return row ?? { total: 0, online: 0, alerts: {}, temperature: null, milkKg: 0 };
}

/** What came in lately. Readings are those of good quality, in whole buckets of the rollups. */
export async function ingestionCounts(db: Queryable): Promise<Record<string, number>> {
  const [row] = await rowsOf<Record<string, number>>(
    db,
    'ingestion-counts',
    `SELECT
       (SELECT coalesce(sum(n), 0) FROM iot.reading_15min WHERE bucket > now() - INTERVAL '1 hour')::bigint AS readings_last_hour,
       (SELECT coalesce(sum(n), 0) FROM iot.reading_1h WHERE bucket > now() - INTERVAL '24 hours')::bigint AS readings_last_24h,
       (SELECT count(*) FROM iot.device WHERE last_seen > now() - ${online}) AS active_devices,
       (SELECT count(*) FROM iot.dead_letter WHERE received_at > now() - INTERVAL '24 hours') AS dead_letters_last_24h,
       (SELECT count(*) FROM iot.dead_letter WHERE replayed_at IS NULL) AS dead_letters_waiting`,
  );
  return row ?? {};
}
