// Days of readings out of the database as CSV, and back.
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { inTransaction, type Db, type Queryable } from './pool.ts';

/** With names instead of numbers: the file can be read, and brought back, elsewhere. */
const columns = ['time', 'farm', 'device_uid', 'metric', 'value', 'quality'] as const;

/** Says whether readings are archived before they are dropped. The database's own policy then stands back. */
export async function setArchiving(db: Queryable, wanted: boolean): Promise<void> {
  await db.query('SELECT iot.set_archiving($1)', [wanted]);
}

/** UTC days (`YYYY-MM-DD`) whose readings are past their retention, oldest first. */
export async function daysToArchive(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>('SELECT day::text FROM iot.days_to_archive() AS day');
  return rows.map(({ day }) => day);
}

/** What a day holds. */
export interface DaySums {
  rows: number;
  /** Sum of all values. */
  sum: number;
}

/** Hands the day's readings to `sink` as CSV with a header, all from one moment, and counts them. */
export async function exportDay(
  db: Db,
  day: string,
  sink: (csv: Readable) => Promise<void>,
): Promise<DaySums> {
  return inTransaction(db, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    const { rows } = await client.query<DaySums>(
      `SELECT count(*) AS rows, coalesce(sum(value), 0) AS sum FROM iot.reading
       WHERE time >= $1::date::timestamp AT TIME ZONE 'UTC' AND time < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'`,
      [day],
    );
    const copy = client.query(
      copyTo(`COPY (SELECT to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time, f.code AS farm,
                d.device_uid, m.name AS metric, r.value, r.quality
              FROM iot.reading r JOIN iot.device d ON d.id = r.device_id JOIN iot.farm f ON f.id = d.farm_id
              JOIN iot.metric m ON m.id = r.metric_id
              WHERE r.time >= '${day}'::date::timestamp AT TIME ZONE 'UTC' AND r.time < ('${day}'::date + 1)::timestamp AT TIME ZONE 'UTC'
              ORDER BY r.device_id, r.metric_id, r.time) TO STDOUT (FORMAT csv, HEADER)`),
    );
    await sink(copy);
    return rows[0] ?? { rows: 0, sum: 0 };
  });
}

/** Notes the file of a day and drops the day's readings. False when the day has got other rows since: archive it again. */
export async function dropArchived(db: Db, day: string, file: string, rows: number): Promise<boolean> {
  return inTransaction(db, async (client) => {
    await client.query(
      `INSERT INTO iot.archived_day (day, file, rows) VALUES ($1, $2, $3)
       ON CONFLICT (day) DO UPDATE SET file = excluded.file, rows = excluded.rows, archived_at = now()`,
      [day, file, rows],
    );
    const dropped = await client.query<{ dropped: boolean }>(
      'SELECT iot.drop_archived_day($1, $2) AS dropped',
      [day, rows],
    );
    return dropped.rows[0]?.dropped === true;
  });
}

/**
 * Puts a day's CSV back; rows that are there already stay as they are. It is not dropped again for `keepDays`. Returns
 * how many rows were new. Throws when the CSV names devices or metrics that this database does not have.
 */
export async function importDay(db: Db, day: string, csv: Readable, keepDays: number): Promise<number> {
  return inTransaction(db, async (client) => {
    await client.query(`CREATE TEMP TABLE archived (time timestamptz, farm text, device_uid text, metric text,
      value double precision, quality smallint) ON COMMIT DROP`);
    await pipeline(
      csv,
      client.query(copyFrom(`COPY archived (${columns.join()}) FROM STDIN (FORMAT csv, HEADER)`)),
    );
    const { rows: strangers } = await client.query<{ name: string }>(
      `SELECT DISTINCT a.farm || '/' || a.device_uid || ' ' || a.metric AS name FROM archived a
       LEFT JOIN iot.farm f ON f.code = a.farm LEFT JOIN iot.device d ON d.farm_id = f.id AND d.device_uid = a.device_uid
       LEFT JOIN iot.metric m ON m.name = a.metric WHERE d.id IS NULL OR m.id IS NULL LIMIT 5`,
    );
    if (strangers.length > 0)
      throw new Error(
        `this database does not know ${strangers.map(({ name }) => name).join(', ')}: restore the archive where it was made, or register the devices first`,
      );
    await client.query('SELECT iot.prepare_days(ARRAY[$1::date])', [day]);
    const { rowCount } = await client.query(
      `INSERT INTO iot.reading (time, device_id, metric_id, value, quality)
       SELECT a.time, d.id, m.id, a.value, a.quality FROM archived a JOIN iot.farm f ON f.code = a.farm
       JOIN iot.device d ON d.farm_id = f.id AND d.device_uid = a.device_uid JOIN iot.metric m ON m.name = a.metric
       ON CONFLICT DO NOTHING`,
    );
    await client.query(
      `INSERT INTO iot.archived_day (day, file, rows, keep_until) VALUES ($1, '', 0, now() + make_interval(days => $2))
       ON CONFLICT (day) DO UPDATE SET keep_until = excluded.keep_until`,
      [day, keepDays],
    );
    return rowCount ?? 0;
  });
}
