// The storage life cycle: rollups, retention, compression. What they mean on which edition is decided in timescale/05*.sql.
import type { Db, PoolClient, Queryable } from './pool.ts';

/** How long things are kept, days. */
export interface StorageSettings {
  rawDays: number;
  fifteenMinuteDays: number;
  hourlyDays: number;
  compressAfterDays: number;
}

/** Applies the settings. Asking for the same again changes nothing. */
export async function setStorage(db: Queryable, settings: StorageSettings): Promise<void> {
  const { rawDays, fifteenMinuteDays, hourlyDays, compressAfterDays } = settings;
  await db.query('SELECT iot.set_storage($1, $2, $3, $4)', [
    rawDays,
    fifteenMinuteDays,
    hourlyDays,
    compressAfterDays,
  ]);
}

/** Sets the time zone whose days iot.milk_daily counts. */
export async function setTimezone(db: Queryable, timezone: string): Promise<void> {
  await db.query('UPDATE iot.storage SET timezone = $1 WHERE timezone <> $1', [timezone]);
}

/** Younger readings are rolled up when their time comes; the SQL side waits 20 minutes, to be on the safe side. */
const lateMs = 600_000;
const hourMs = 3_600_000;

/**
 * Marks the hours of late rows (`time` in epoch ms), so that their rollups are computed again. Runs in the transaction of the rows.
 * Without late rows it costs a loop over `rows` and no query.
 */
export async function markLate(client: PoolClient, rows: readonly { time: number }[]): Promise<void> {
  const lateBefore = Date.now() - lateMs;
  const hours = new Set<number>();
  for (const { time } of rows) if (time < lateBefore) hours.add(Math.floor(time / hourMs));
  if (hours.size === 0) return;
  await client.query('SELECT iot.mark_late($1)', [
    [...hours].map((hour) => new Date(hour * hourMs).toISOString()),
  ]);
}

/** Brings the rollups up to date. Hours that still get late readings wait until nothing came for `settleSeconds`. */
export async function refreshRollups(db: Db, settleSeconds = 60): Promise<void> {
  // A procedure that commits cannot take parameters through a prepared statement's transaction; the number is ours.
  await db.query(`CALL iot.refresh_rollups(make_interval(secs => ${settleSeconds}))`);
}

/** Works out missing percentiles of today and the last `days` (without: of all days whose readings are there). */
export async function refreshPercentiles(db: Db, days?: number): Promise<void> {
  await db.query(`CALL iot.refresh_percentiles(${days ?? 'NULL'})`);
}

/** Drops what is past its retention, where no policy of the database does. Returns how many chunks or partitions went. */
export async function applyRetention(db: Db): Promise<number> {
  const { rows } = await db.query<{ dropped: number }>('SELECT iot.apply_retention() AS dropped');
  return rows[0]?.dropped ?? 0;
}

/** Makes partitions for today and the next two UTC days, where the database needs them. */
export async function prepareAhead(db: Db): Promise<void> {
  await db.query(
    `SELECT iot.prepare_days(array_agg((now() AT TIME ZONE 'UTC')::date + ahead)) FROM generate_series(0, 2) AS ahead`,
  );
}

/** A big table: how it is cut (`chunks`, `partitions`, `table`), and its size in bytes with indexes. */
export interface StoredRelation {
  relation: string;
  layout: string;
  parts: number;
  compressed: number;
  bytes: number;
  oldest: Date | null;
  newest: Date | null;
}

/** A job that the database runs by itself. */
export interface StoragePolicy {
  relation: string;
  policy: string;
  last_success: Date | null;
  last_status: string | null;
  failures: number;
  next_start: Date | null;
}

/** What `npm run db -- status` shows. */
export interface StorageStatus {
  edition: string;
  rollups: 'continuous' | 'own';
  rawDays: number;
  fifteenMinuteDays: number;
  hourlyDays: number;
  compressAfterDays: number;
  /** Own rollups are stored up to here; null for continuous aggregates. */
  rolledUntil: Date | null;
  /** Hours with late readings that wait for their rollup. */
  lateHours: number;
  relations: StoredRelation[];
  policies: StoragePolicy[];
}

/** Reads the state of the storage. */
export async function readStorageStatus(db: Queryable): Promise<StorageStatus> {
  const { rows } = await db.query<Omit<StorageStatus, 'relations' | 'policies'>>(`
    SELECT iot.edition() AS edition, rollups, raw_days AS "rawDays", fifteen_minute_days AS "fifteenMinuteDays",
           hourly_days AS "hourlyDays", compress_after_days AS "compressAfterDays",
           CASE rollups WHEN 'own' THEN rolled_until END AS "rolledUntil",
           (SELECT count(DISTINCT hour) FROM iot.rollup_dirty) AS "lateHours"
    FROM iot.storage`);
  const [state] = rows;
  if (state === undefined) throw new Error('iot.storage is empty; was a row deleted by hand?');
  const relations = await db.query<StoredRelation>('SELECT * FROM iot.storage_status()');
  const policies = await db.query<StoragePolicy>('SELECT * FROM iot.storage_policies()');
  return { ...state, relations: relations.rows, policies: policies.rows };
}
