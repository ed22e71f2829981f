// Writes readings: COPY straight into the table; where some are there already, through a staging table.
import { copyText } from './copy.ts';
import { isUniqueViolation, type PoolClient } from './pool.ts';

/** One stored value. `time` in epoch ms. */
export interface ReadingRow {
  deviceId: number;
  metricId: number;
  time: number;
  value: number;
  quality: number;
}

/** Identity of a reading. */
export const readingKey = (deviceId: number, metricId: number, time: number) =>
  `${deviceId}|${metricId}|${time}`;

const columns = '(time, device_id, metric_id, value, quality)';

/** UTC days that are known to have a partition. */
export type PreparedDays = Set<string>;

/** Makes sure that the rows' days have partitions. Runs before the batch's own work, so that its locks are taken first. */
export async function prepareDays(
  client: PoolClient,
  rows: readonly ReadingRow[],
  prepared: PreparedDays,
): Promise<string[]> {
  const days = new Set<string>();
  for (const row of rows) {
    const day = new Date(row.time).toISOString().slice(0, 10);
    if (!prepared.has(day)) days.add(day);
  }
  if (days.size > 0) await client.query('SELECT iot.prepare_days($1)', [[...days].toSorted()]);
  return [...days];
}

/** Inserts rows that have no duplicates among themselves. Returns the keys that were already stored before. */
export async function insertReadings(
  client: PoolClient,
  rows: readonly ReadingRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const text = rows
    .map(
      (row) =>
        `${new Date(row.time).toISOString()}\t${row.deviceId}\t${row.metricId}\t${row.value}\t${row.quality}\n`,
    )
    .join('');
  await client.query('SAVEPOINT readings');
  try {
    await copyText(client, `iot.reading ${columns}`, text);
    await client.query('RELEASE SAVEPOINT readings');
    return new Set();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT readings');
  }
  return insertNewOnes(client, rows, text);
}

async function insertNewOnes(
  client: PoolClient,
  rows: readonly ReadingRow[],
  text: string,
): Promise<ReadonlySet<string>> {
  await client.query(`CREATE TEMP TABLE IF NOT EXISTS reading_stage (time timestamptz, device_id integer, metric_id smallint,
    value double precision, quality smallint) ON COMMIT DELETE ROWS`);
  await copyText(client, `reading_stage ${columns}`, text);
  const inserted = await client.query<{ time: Date; device_id: number; metric_id: number }>(
    `INSERT INTO iot.reading ${columns} SELECT time, device_id, metric_id, value, quality FROM reading_stage
     ON CONFLICT DO NOTHING RETURNING time, device_id, metric_id`,
  );
  const duplicates = new Set(rows.map((row) => readingKey(row.deviceId, row.metricId, row.time)));
  for (const row of inserted.rows)
    duplicates.delete(readingKey(row.device_id, row.metric_id, row.time.getTime()));
  return duplicates;
}
