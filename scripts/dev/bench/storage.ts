// storage: bytes a reading takes, raw and compressed, against the wide table of the customer's documents.
import { withClient, type Query } from '../../ops/stack/database.ts';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector } from './harness/connector.ts';
import { fillReadings } from './harness/fill.ts';
import { rounded } from './harness/numbers.ts';

/** The columns and indexes of the documents; chunks of a day where the server has TimescaleDB. */
const wideTable = `
  CREATE TABLE wide (time timestamptz NOT NULL, device_uid varchar(64) NOT NULL, device_type varchar(32) NOT NULL,
    farm_id integer NOT NULL, metric_name varchar(64) NOT NULL, metric_value double precision NOT NULL,
    metric_unit varchar(16), data_quality varchar(16), is_interpolated boolean, animal_id integer, zone_id integer,
    session_id varchar(64), battery_level smallint, signal_strength smallint, metadata jsonb);
  CREATE INDEX ON wide (device_uid, time DESC);
  CREATE INDEX ON wide (farm_id, device_type, time DESC);
  CREATE INDEX ON wide (animal_id, metric_name, time DESC) WHERE animal_id IS NOT NULL;
  CREATE INDEX ON wide (zone_id, metric_name, time DESC) WHERE zone_id IS NOT NULL;
  CREATE INDEX ON wide USING brin (time) WITH (pages_per_range = 32)`;

/** The same readings, animal and battery known as on a farm. */
const fillWide = `
  INSERT INTO wide SELECT r.time, d.device_uid, d.device_type, d.farm_id, m.name, r.value, m.unit, 'valid', false, d.id, NULL,
    NULL, 90, -70, '{}' FROM iot.reading r JOIN iot.device d ON d.id = r.device_id JOIN iot.metric m ON m.id = r.metric_id`;

/** Bytes of a table with its indexes and all its chunks or partitions. */
async function bytesOf(query: Query, table: string): Promise<number> {
  const [row] = await query(
    `SELECT CASE WHEN to_regproc('hypertable_size') IS NOT NULL
       AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = $1::regclass)
       AND NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = $1::regclass)
     THEN 'hypertable' ELSE 'native' END AS kind`,
    [table],
  );
  const size =
    row?.['kind'] === 'hypertable'
      ? await query('SELECT hypertable_size($1::regclass) AS bytes', [table])
      : await query(
          'SELECT sum(pg_total_relation_size(relid)) AS bytes FROM pg_partition_tree($1::regclass)',
          [table],
        );
  return Number(size[0]?.['bytes']);
}

/** Compresses what lies in iot.reading; false where the edition cannot. */
async function compress(query: Query): Promise<boolean> {
  const [row] = await query('SELECT iot.edition() AS edition');
  if (row?.['edition'] !== 'community') return false;
  await query(`SELECT compress_chunk(c, true) FROM show_chunks('iot.reading') c`);
  return true;
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const connector = await startBenchConnector(context);
  try {
    // Only its migrations are needed.
    await connector.stop();
    const wanted = context.quick ? 1_000_000 : 10_000_000;
    const { rows } = await fillReadings(connector.databaseUrl, {
      rows: wanted,
      devices: 100,
      report: context.report,
    });
    return await withClient(connector.databaseUrl, async (query) => {
      context.report('the same readings in the wide table of the documents');
      await query(wideTable);
      const [timescale] = await query(`SELECT FROM pg_extension WHERE extname = 'timescaledb'`);
      if (timescale !== undefined)
        await query(
          `SELECT create_hypertable('wide', 'time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => false)`,
        );
      await query(fillWide);
      const raw = (await bytesOf(query, 'iot.reading')) / rows;
      const wide = (await bytesOf(query, 'wide')) / rows;
      const isCompressed = await compress(query);
      const compressed = isCompressed ? (await bytesOf(query, 'iot.reading')) / rows : Number.NaN;
      return {
        edition: connector.versions['TimescaleDB'] ?? 'none',
        rows,
        bytes_per_reading: rounded(raw, 1),
        compressed_bytes_per_reading: rounded(compressed, 1),
        wide_bytes_per_reading: rounded(wide, 1),
        ratio: rounded(raw / wide, 3),
      };
    });
  } finally {
    await connector.drop();
  }
}
