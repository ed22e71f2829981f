// Writes readings: COPY straight into the table; where some are there already, through a staging table.
import { copyBinary } from './copy.ts';
import { isUniqueViolation, type PoolClient } from './pool.ts';
import { markLate } from './storage.ts';

/** What a moment of a metric has. */
export interface StoredValue {
  value: number;
  quality: number;
}

/** One stored value. `time` in epoch ms. */
export interface ReadingRow extends StoredValue {
  deviceId: number;
  metricId: number;
  time: number;
}

/** Identity of a reading. */
export const readingKey = (deviceId: number, metricId: number, time: number) =>
  `${deviceId}|${metricId}|${time}`;

const columns = '(time, device_id, metric_id, value, quality)';

/** UTC days (days since 1970) that are known to have a partition. */
export type PreparedDays = Set<number>;

const dayMs = 86_400_000;

/** Makes sure that the rows' days have partitions. Runs before the batch's own work, so that its locks are taken first. */
export async function prepareDays(
  client: PoolClient,
  rows: readonly ReadingRow[],
  prepared: PreparedDays,
): Promise<number[]> {
  const days = new Set<number>();
  for (const { time } of rows) {
    const day = Math.floor(time / dayMs);
    if (!prepared.has(day)) days.add(day);
  }
  if (days.size === 0) return [];
  const sorted = [...days].toSorted((left, right) => left - right);
  const dates = sorted.map((day) => new Date(day * dayMs).toISOString().slice(0, 10));
  await client.query('SELECT iot.prepare_days($1)', [dates]);
  return sorted;
}

/**
 * Inserts rows that have no duplicates among themselves. Returns what was stored before, by key; `isBetter` tells which of two
 * values of one moment is kept.
 */
export type InsertReadings = (
  client: PoolClient,
  rows: readonly ReadingRow[],
  isBetter: (value: StoredValue, than: StoredValue) => boolean,
) => Promise<ReadonlyMap<string, StoredValue>>;

/**
 * Runs a whole transaction that inserts readings: by plain COPY, and once more with a staging table when some of them were
 * stored before. A savepoint around the COPY would cost every batch two round trips for the sake of the rare one.
 */
export async function withInsert<T>(transaction: (insert: InsertReadings) => Promise<T>): Promise<T> {
  try {
    return await transaction(insertAll);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return transaction(insertNewOnes);
  }
}

const insertAll: InsertReadings = async (client, rows) => {
  if (rows.length === 0) return nothing;
  await copyReadings(client, 'iot.reading', rows);
  await markLate(client, rows);
  return nothing;
};

const nothing: ReadonlyMap<string, StoredValue> = new Map();

/** Bytes of a row: the number of columns, and for each column its length before its value. */
const rowBytes = 2 + (4 + 8) + (4 + 4) + (4 + 2) + (4 + 8) + (4 + 2);
/** PostgreSQL counts microseconds from 2000 on. */
const epoch2000Ms = 946_684_800_000;
const twoTo32 = 2 ** 32;

function copyReadings(client: PoolClient, table: string, rows: readonly ReadingRow[]): Promise<void> {
  return copyBinary(client, `${table} ${columns}`, rows.length, rowBytes, (buffer, start) => {
    let at = start;
    for (const row of rows) {
      const micros = (row.time - epoch2000Ms) * 1000;
      at = buffer.writeInt16BE(5, at);
      at = buffer.writeInt32BE(8, at);
      // Two halves: a BigInt for each row costs more than all the rest.
      at = buffer.writeInt32BE(Math.floor(micros / twoTo32), at);
      at = buffer.writeInt32BE(micros | 0, at);
      at = buffer.writeInt32BE(4, at);
      at = buffer.writeInt32BE(row.deviceId, at);
      at = buffer.writeInt32BE(2, at);
      at = buffer.writeInt16BE(row.metricId, at);
      at = buffer.writeInt32BE(8, at);
      at = buffer.writeDoubleBE(row.value, at);
      at = buffer.writeInt32BE(2, at);
      at = buffer.writeInt16BE(row.quality, at);
    }
  });
}

const insertNewOnes: InsertReadings = async (client, rows, isBetter) => {
  await client.query(`CREATE TEMP TABLE IF NOT EXISTS reading_stage (time timestamptz, device_id integer, metric_id smallint,
    value double precision, quality smallint) ON COMMIT DELETE ROWS`);
  await copyReadings(client, 'reading_stage', rows);
  const inserted = await client.query<{ time: Date; device_id: number; metric_id: number }>(
    `INSERT INTO iot.reading ${columns} SELECT time, device_id, metric_id, value, quality FROM reading_stage
     ON CONFLICT DO NOTHING RETURNING time, device_id, metric_id`,
  );
  const old = new Map(rows.map((row) => [readingKey(row.deviceId, row.metricId, row.time), row]));
  for (const row of inserted.rows) old.delete(readingKey(row.device_id, row.metric_id, row.time.getTime()));
  const existing = await storedValues(client, [...old.values()]);
  const better = [...old].flatMap(([key, row]) => {
    const before = existing.get(key);
    return before !== undefined && isBetter(row, before) ? [row] : [];
  });
  if (better.length > 0) await replaceValues(client, better);
  const changed = inserted.rows.map(({ time }) => ({ time: time.getTime() }));
  await markLate(client, [...changed, ...better]);
  return existing;
};

const keyColumns = (rows: readonly ReadingRow[]) => [
  rows.map(({ deviceId }) => deviceId),
  rows.map(({ metricId }) => metricId),
  rows.map(({ time }) => new Date(time)),
];

async function storedValues(
  client: PoolClient,
  rows: readonly ReadingRow[],
): Promise<ReadonlyMap<string, StoredValue>> {
  if (rows.length === 0) return nothing;
  // LIMIT keeps the planner from reading whole days for the sake of a few keys.
  const { rows: stored } = await client.query<StoredValue & { n: number }>(
    `SELECT k.n::int AS n, r.value, r.quality
     FROM unnest($1::int[], $2::smallint[], $3::timestamptz[]) WITH ORDINALITY AS k (device_id, metric_id, time, n)
     CROSS JOIN LATERAL (SELECT value, quality FROM iot.reading r
       WHERE r.device_id = k.device_id AND r.metric_id = k.metric_id AND r.time = k.time LIMIT 1) r`,
    keyColumns(rows),
  );
  const existing = new Map<string, StoredValue>();
  for (const { n, value, quality } of stored) {
    const row = rows[n - 1];
    if (row !== undefined) existing.set(readingKey(row.deviceId, row.metricId, row.time), { value, quality });
  }
  return existing;
}

async function replaceValues(client: PoolClient, rows: readonly ReadingRow[]): Promise<void> {
  await client.query(
    `UPDATE iot.reading r SET value = k.value, quality = k.quality
     FROM unnest($1::int[], $2::smallint[], $3::timestamptz[], $4::float8[], $5::smallint[])
       AS k (device_id, metric_id, time, value, quality)
     WHERE r.device_id = k.device_id AND r.metric_id = k.metric_id AND r.time = k.time
       AND r.time BETWEEN $6 AND $7`,
    [
      ...keyColumns(rows),
      rows.map(({ value }) => value),
      rows.map(({ quality }) => quality),
      new Date(Math.min(...rows.map(({ time }) => time))),
      new Date(Math.max(...rows.map(({ time }) => time))),
    ],
  );
}
