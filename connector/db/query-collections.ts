// Collections in pages: farms, animals, milkings, readings. A page begins behind the last row of the page before.
import type { MilkSessionRecord } from '../../contract/records.ts';
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** A farm and how much there is of it. */
export interface FarmRow {
  id: number;
  farm: string;
  name: string;
  active: boolean;
  devices: number;
  animals: number;
}

/** Farms in the order in which they became known. */
export const listFarms = (
  db: Queryable,
  { farm, cursor }: { farm: string | undefined; cursor: number | undefined },
  limit: number,
): Promise<FarmRow[]> =>
  rowsOf<FarmRow>(
    db,
    'farms',
    `SELECT f.id, f.code AS farm, f.name, f.active,
       (SELECT count(*) FROM iot.device d WHERE d.farm_id = f.id AND d.state <> 'rejected')::int AS devices,
       (SELECT count(*) FROM iot.animal a WHERE a.farm_id = f.id AND a.active)::int AS animals
     FROM iot.farm f WHERE ($1::text IS NULL OR f.code = $1) AND ($2::int IS NULL OR f.id > $2) ORDER BY f.id LIMIT $3`,
    [farm ?? null, cursor ?? null, limit],
  );

/** Which animals; what is undefined does not matter. */
export interface AnimalFilter {
  farm: string | undefined;
  animal: string | undefined;
  active: boolean | undefined;
  cursor: number | undefined;
}

/** An animal as Odoo keeps it. */
export interface AnimalRow {
  id: number;
  farm: string;
  name: string | null;
  ear_tag: string | null;
  rfid: string | null;
  pen: string | null;
  state: string | null;
  active: boolean;
}

/** Animals in the order of their ids. */
export const listAnimals = (db: Queryable, filter: AnimalFilter, limit: number): Promise<AnimalRow[]> =>
  rowsOf<AnimalRow>(
    db,
    'animals',
    `SELECT a.id, f.code AS farm, a.name, a.ear_tag, a.rfid, p.name AS pen, a.state, a.active
     FROM iot.animal a JOIN iot.farm f ON f.id = a.farm_id LEFT JOIN iot.pen p ON p.id = a.pen_id
     WHERE ($1::text IS NULL OR f.code = $1) AND ($2::text IS NULL OR $2 IN (a.rfid, a.ear_tag))
       AND ($3::boolean IS NULL OR a.active = $3) AND ($4::int IS NULL OR a.id > $4)
     ORDER BY a.id LIMIT $5`,
    [filter.farm ?? null, filter.animal ?? null, filter.active ?? null, filter.cursor ?? null, limit],
  );

/** Which milkings; what is undefined does not matter. */
export interface MilkingFilter {
  farm: string | undefined;
  deviceUid: string | undefined;
  /** A tag, an ear tag, or what a meter calls the animal. */
  animal: string | undefined;
  complete: boolean | undefined;
  /** Started from here on, and until here (inclusive). */
  start: Date | undefined;
  end: Date | undefined;
  /** Older than this one. */
  cursor: { startedAt: Date; id: number } | undefined;
}

/** A milking as Odoo gets it. */
export interface MilkingRow {
  id: number;
  startedAt: Date;
  source_id: string;
  revision: number;
  record: MilkSessionRecord;
}

/** Milkings, the one that began last first. */
export const listMilkings = (db: Queryable, filter: MilkingFilter, limit: number): Promise<MilkingRow[]> =>
  rowsOf<MilkingRow>(
    db,
    'milkings',
    // An animal that has a tag is in its milkings by that: an ear tag is looked up.
    `SELECT s.id, s.started_at AS "startedAt", f.code || '/' || d.device_uid || '/' || s.session_key AS source_id, s.revision, s.record
     FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id JOIN iot.device d ON d.id = s.device_id
     WHERE s.revision > 0 AND NOT s.retired
       AND ($1::text IS NULL OR f.code = $1) AND ($2::text IS NULL OR d.device_uid = $2)
       AND ($3::text IS NULL OR $3 IN (s.rfid, s.animal_ref) OR EXISTS (SELECT FROM iot.animal a
         WHERE a.farm_id = s.farm_id AND $3 IN (a.rfid, a.ear_tag) AND coalesce(s.rfid, s.animal_ref) IN (a.rfid, a.ear_tag)))
       AND ($4::boolean IS NULL OR s.complete = $4)
       AND ($5::timestamptz IS NULL OR s.started_at >= $5) AND ($6::timestamptz IS NULL OR s.started_at <= $6)
       AND ($7::timestamptz IS NULL OR (s.started_at, s.id) < ($7, $8))
     ORDER BY s.started_at DESC, s.id DESC LIMIT $9`,
    [
      filter.farm ?? null,
      filter.deviceUid ?? null,
      filter.animal ?? null,
      filter.complete ?? null,
      filter.start ?? null,
      filter.end ?? null,
      filter.cursor?.startedAt ?? null,
      filter.cursor?.id ?? null,
      limit,
    ],
  );

/** Which readings; `start` and `end` are inclusive. */
export interface ReadingFilter {
  farm: string | undefined;
  deviceUid: string | undefined;
  metric: string | undefined;
  start: Date;
  end: Date;
  /** The last one of the page before. */
  cursor: { deviceId: number; metricId: number; time: Date } | undefined;
}

/** A reading with its device. */
export interface ReadingRow {
  deviceId: number;
  metricId: number;
  time: Date;
  farm: string;
  device_uid: string;
  metric_name: string;
  metric_value: number;
  metric_unit: string;
  quality: number;
}

/**
 * Readings by device, metric and time: as they are stored, so that a page costs what is on it. By time alone each page would
 * sort all of the span.
 */
export const listReadings = (db: Queryable, filter: ReadingFilter, limit: number): Promise<ReadingRow[]> =>
  rowsOf<ReadingRow>(
    db,
    'readings',
    `SELECT s.device_id AS "deviceId", s.metric_id AS "metricId", r.time, s.farm, s.device_uid, s.metric_name,
       r.value AS metric_value, s.unit AS metric_unit, r.quality
     FROM (SELECT d.id AS device_id, m.id AS metric_id, f.code AS farm, d.device_uid, m.name AS metric_name, m.unit
       FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id CROSS JOIN iot.metric m
       WHERE ($1::text IS NULL OR f.code = $1) AND ($2::text IS NULL OR d.device_uid = $2) AND ($3::text IS NULL OR m.name = $3)
         AND ($6::int IS NULL OR (d.id, m.id) >= ($6, $7::smallint))
       ORDER BY d.id, m.id) s
     CROSS JOIN LATERAL (SELECT time, value, quality FROM iot.reading
       WHERE device_id = s.device_id AND metric_id = s.metric_id AND time >= $4 AND time <= $5
         AND ($6::int IS NULL OR (s.device_id, s.metric_id) <> ($6, $7::smallint) OR time > $8::timestamptz)
       ORDER BY time LIMIT $9) r
     ORDER BY s.device_id, s.metric_id, r.time LIMIT $9`,
    [
      filter.farm ?? null,
      filter.deviceUid ?? null,
      filter.metric ?? null,
      filter.start,
      filter.end,
      filter.cursor?.deviceId ?? null,
      filter.cursor?.metricId ?? null,
      filter.cursor?.time ?? null,
      limit,
    ],
  );
