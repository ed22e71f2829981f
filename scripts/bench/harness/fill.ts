// Readings by the million, made inside the database: 10 series a device, one value every 10 s, up to now.
import { withClient } from '../../stack/database.ts';

const metrics = 10;
const stepS = 10;
/** Rows of one transaction. */
const chunkRows = 1_000_000;

/** What was filled in. */
export interface Filled {
  rows: number;
  devices: number;
  /** Span of the readings, seconds. */
  spanS: number;
}

/** Fills iot.reading of a connector's database with about `rows` readings of `devices` devices; makes the devices too. */
export async function fillReadings(
  url: string,
  rows: number,
  devices: number,
  report: (step: string) => void,
): Promise<Filled> {
  const moments = Math.floor(rows / devices / metrics);
  const spanS = moments * stepS;
  await withClient(url, async (query) => {
    await query(`INSERT INTO iot.farm (code, name) VALUES ('bench', 'Bench') ON CONFLICT DO NOTHING`);
    await query(
      `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state, first_seen, last_seen)
       SELECT f.id, 'b' || n, 'milk_meter', 'b' || n, 'discovered', now(), now()
       FROM iot.farm f, generate_series(1, $1::int) n WHERE f.code = 'bench'`,
      [devices],
    );
    await query(
      `SELECT iot.prepare_days(array_agg(d::date))
       FROM generate_series(date_trunc('day', now() - make_interval(secs => $1)), now() + INTERVAL '1 day', INTERVAL '1 day') d`,
      [spanS],
    );
    const step = Math.max(1, Math.floor(chunkRows / devices / metrics));
    for (let done = 0; done < moments; done += step) {
      await query(
        `INSERT INTO iot.reading (time, device_id, metric_id, value, quality)
         SELECT date_trunc('second', now()) - make_interval(secs => ($1::int - n) * ${stepS}), d.id, m.id,
           round((38 + sin(n / 100.0 + d.id) + m.id + random() / 10)::numeric, 2)::float8, 0
         FROM generate_series($2::int, $3::int) n, (SELECT id FROM iot.device WHERE device_uid ~ '^b\\d+$') d,
           (SELECT id FROM iot.metric ORDER BY id LIMIT ${metrics}) m`,
        [moments, done + 1, Math.min(moments, done + step)],
      );
      report(`${Math.min(moments, done + step) * devices * metrics} readings filled in`);
    }
  });
  return { rows: moments * devices * metrics, devices, spanS };
}
