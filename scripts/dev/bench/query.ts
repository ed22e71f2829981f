// query: the customer's queries through the code that answers REST, on 1, 10 or 100 million readings.
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { withClient } from '../../ops/stack/database.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { fillReadings } from './harness/fill.ts';
import { percentile, rounded } from './harness/numbers.ts';

const devices = 100;

/** Asks `count` times over one connection; milliseconds from request to the whole answer. Throws on any answer but 200. */
async function measure(
  { url, token }: BenchConnector,
  count: number,
  path: (turn: number) => string,
): Promise<Float64Array> {
  const samples = new Float64Array(count);
  const warm = 20;
  for (let turn = -warm; turn < count; turn++) {
    const startedAt = performance.now();
    const response = await fetch(url + path(turn + warm), { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (response.status !== 200)
      throw new Error(`${path(turn + warm)}: ${response.status} ${text.slice(0, 300)}`);
    if (turn >= 0) samples[turn] = performance.now() - startedAt;
  }
  return samples;
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const connector = await startBenchConnector(context);
  try {
    const wanted = context.huge ? 100_000_000 : context.quick ? 1_000_000 : 10_000_000;
    const startedAt = performance.now();
    const { rows, spanS } = await fillReadings(connector.databaseUrl, {
      rows: wanted,
      devices,
      // 64 days, as many partitions as on a farm.
      ...(context.huge ? { olderStepS: 60 } : {}),
      keyLast: true,
      report: context.report,
    });
    const filledAt = performance.now();
    context.report('rolling up');
    const metric = await withClient(connector.databaseUrl, async (query) => {
      await query(
        `UPDATE iot.storage SET rolled_until = iot.bucket_of('1 day', now() - make_interval(secs => $1))`,
        [spanS],
      );
      await query(`CALL iot.refresh_rollups()`);
      await query('CALL iot.refresh_percentiles(7)');
      await query('ANALYZE');
      return String((await query('SELECT name FROM iot.metric ORDER BY id LIMIT 1'))[0]?.['name']);
    });
    const rolledAt = performance.now();
    context.report('asking');
    const now = Date.now();
    const iso = (agoS: number) => encodeURIComponent(new Date(now - agoS * 1000).toISOString());
    const range = (turn: number, aggregation: string, agoS: number, more = '') =>
      `/api/v1/query/sensor/range?device_uid=b${(turn % devices) + 1}&metric_name=${metric}&start=${iso(agoS)}&end=${iso(0)}&aggregation=${aggregation}${more}`;
    const count = context.quick ? 200 : 1_000;
    const latest = await measure(
      connector,
      count,
      (turn) => `/api/v1/query/sensor/latest/b${(turn % devices) + 1}`,
    );
    const recent = await measure(connector, count, (turn) => range(turn, 'raw', 3_600));
    const fifteen = await measure(connector, count, (turn) => range(turn, '15min', 86_400));
    const hourly = await measure(connector, count, (turn) => range(turn, 'hourly', 7 * 86_400));
    const daily = await measure(connector, count, (turn) => range(turn, 'daily', 90 * 86_400));
    const spread = await measure(connector, count, (turn) =>
      range(turn, 'hourly', 7 * 86_400, '&percentiles=true'),
    );
    const season = await measure(connector, count / 4, (turn) => range(turn, 'hourly', 90 * 86_400));
    const p = (samples: Float64Array, share: number) => rounded(percentile(samples, share), 1);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      rows,
      days: rounded(spanS / 86_400, 1),
      fill_rows_per_s: rounded((rows / (filledAt - startedAt)) * 1_000),
      roll_rows_per_s: rounded((rows / (rolledAt - filledAt)) * 1_000),
      latest_p50_ms: p(latest, 0.5),
      latest_p95_ms: p(latest, 0.95),
      recent_p50_ms: p(recent, 0.5),
      recent_p95_ms: p(recent, 0.95),
      fifteen_minute_p95_ms: p(fifteen, 0.95),
      hourly_p95_ms: p(hourly, 0.95),
      daily_p95_ms: p(daily, 0.95),
      percentiles_p95_ms: p(spread, 0.95),
      hourly_90_days_p95_ms: p(season, 0.95),
      rollup_p50_ms: p(Float64Array.from([...fifteen, ...hourly, ...daily]), 0.5),
      rollup_p95_ms: p(Float64Array.from([...fifteen, ...hourly, ...daily]), 0.95),
      rss_mb: rounded(connector.peakRssMb()),
    };
  } finally {
    await connector.drop();
  }
}
