// Readings by the million, made inside the database, up to now: 10 series a device, one value every 10 s.
import { withClient, type Query } from '../../../ops/stack/database.ts';

const metrics = 10;
const stepS = 10;
const dayS = 86_400;
/** Rows of one statement. */
const chunkRows = 1_000_000;

/** What to fill in. */
export interface FillOptions {
  rows: number;
  devices: number;
  /** What is older than a day comes this often, so that as many rows span more days; 10 s without it. */
  olderStepS?: number;
  /** Makes the unique key when all rows are there: eight times faster. The key is a little smaller than one that has grown. */
  keyLast?: boolean;
  report: (step: string) => void;
}

/** What was filled in. */
export interface Filled {
  rows: number;
  /** Span of the readings, seconds. */
  spanS: number;
}

/** Fills iot.reading of a connector's database, which has none yet; makes the devices `b1`, `b2` … too. */
export async function fillReadings(url: string, options: FillOptions): Promise<Filled> {
  const { devices, olderStepS = stepS, keyLast = false, report } = options;
  const series = devices * metrics;
  const moments = Math.floor(options.rows / series);
  const recent = Math.min(moments, dayS / stepS);
  const spanS = recent * stepS + (moments - recent) * olderStepS;
  await withClient(url, async (query) => {
    await makeDevices(query, devices);
    await query(
      `SELECT iot.prepare_days(array_agg(d::date))
       FROM generate_series(date_trunc('day', now() - make_interval(secs => $1)), now() + INTERVAL '1 day', INTERVAL '1 day') d`,
      [spanS],
    );
    const [start] = await query(`SELECT date_trunc('second', now()) - make_interval(secs => $1) AS at`, [
      spanS,
    ]);
    if (keyLast) await query('ALTER TABLE iot.reading DROP CONSTRAINT reading_pkey');
    const perStatement = Math.max(1, Math.floor(chunkRows / series));
    for (let done = 0; done < moments; done += perStatement) {
      const last = Math.min(moments, done + perStatement);
      await query(
        `INSERT INTO iot.reading (time, device_id, metric_id, value, quality)
         SELECT m.at, d.id, t.id, round((38 + sin(m.n / 100e0 + d.id) + t.id + random() / 10) * 100) / 100, 0
         FROM (SELECT n, $1::timestamptz
                 + make_interval(secs => least(n, $4) * $5::float8 + greatest(n - $4, 0) * ${stepS}::float8) AS at
               FROM generate_series($2::int, $3::int) n) m, (SELECT id FROM iot.device WHERE device_uid ~ '^b\\d+$') d,
           (SELECT id FROM iot.metric ORDER BY id LIMIT ${metrics}) t`,
        [start?.['at'], done + 1, last, moments - recent, olderStepS],
      );
      report(`${last * series} readings filled in`);
    }
    if (!keyLast) return;
    report('making the unique key');
    await query(`SET maintenance_work_mem = '512MB'`);
    await query('ALTER TABLE iot.reading ADD PRIMARY KEY (device_id, metric_id, time)');
  });
  return { rows: moments * series, spanS };
}

async function makeDevices(query: Query, devices: number): Promise<void> {
  await query(`INSERT INTO iot.farm (code, name) VALUES ('bench', 'Bench') ON CONFLICT DO NOTHING`);
  await query(
    `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state, first_seen, last_seen)
     SELECT f.id, 'b' || n, 'milk_meter', 'b' || n, 'discovered', now(), now()
     FROM iot.farm f, generate_series(1, $1::int) n WHERE f.code = 'bench'`,
    [devices],
  );
}
