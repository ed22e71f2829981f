// mqtt: QoS 1 messages until committed and acknowledged, with 1 and 10 points a message.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { copyReference } from './harness/database.ts';
import { rounded } from './harness/numbers.ts';
import { openPublisher, type Outgoing } from './harness/publisher.ts';

const devices = 1_000;
/** Most messages that wait in the broker: enough that the connector never starves, little enough that nothing piles up. */
const ahead = 20_000;
const tenMetrics = [
  'temperature',
  'humidity',
  'milk_conductivity',
  'milk_temperature',
  'milk_flow',
  'vacuum_pressure',
  'pulsation_rate',
  'milk_fat',
  'milk_protein',
  'milk_lactose',
];

/** Messages of 1,000 meters in turn; no meter says the same moment twice. */
function messages(metrics: readonly string[]): () => Outgoing {
  let count = 0;
  let at = Date.now() - 3_600_000;
  let moment = '';
  return () => {
    const device = count % devices;
    if (device === 0) moment = new Date((at += 1)).toISOString();
    count += 1;
    const points = metrics.map(
      (metric, index) => `{"m":"${metric}","v":${(count + index) % 10}.${count % 97}}`,
    );
    return {
      topic: `dairy/bench/milk_meter/m${device}/data`,
      payload: `{"v":1,"at":"${moment}","points":[${points.join(',')}]}`,
    };
  };
}

interface Measured {
  /** Messages per second, first publish to last commit. */
  rate: number;
  /** Processor time of the connector for one message, in microseconds: hardly depends on who else uses the machine. */
  cpuUs: number;
}

/** Publishes as fast as the connector commits, for so long. */
async function measure(
  context: BenchContext,
  connector: BenchConnector,
  metrics: readonly string[],
  seconds: number,
): Promise<Measured> {
  const publisher = await openPublisher(context.env, `bench-publisher-${metrics.length}`);
  const next = messages(metrics);
  const before = (await connector.status()).messages_received;
  // The first messages register the devices; that happens once in a device's life.
  await publisher.publish(devices, next);
  await connector.committed(before + devices);
  let published = devices;
  const cpuBefore = connector.cpuS();
  const startedAt = performance.now();
  const seen = { at: startedAt, count: devices };
  while (performance.now() - startedAt < seconds * 1000) {
    const committed = (await connector.status()).messages_received - before;
    const room = committed + ahead - published;
    if (room >= 1_000) {
      await publisher.publish(room, next);
      published += room;
    } else await sleep(10);
    const sinceS = (performance.now() - seen.at) / 1000;
    if (sinceS >= 5) {
      const rate = Math.round((committed - seen.count) / sinceS);
      context.report(`${metrics.length} points a message: ${rate} messages/s`);
      Object.assign(seen, { at: performance.now(), count: committed });
    }
  }
  await publisher.acknowledged();
  await connector.committed(before + published);
  const measured = published - devices;
  const rate = measured / ((performance.now() - startedAt) / 1000);
  publisher.close();
  return { rate, cpuUs: ((connector.cpuS() - cpuBefore) / measured) * 1e6 };
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const connector = await startBenchConnector(context);
  try {
    const seconds = context.quick ? 15 : 120;
    context.report(`1 point a message, ${seconds} s`);
    const one = await measure(context, connector, ['temperature'], seconds);
    context.report(`10 points a message, ${seconds / 2} s`);
    const ten = await measure(context, connector, tenMetrics, seconds / 2);
    const status = await connector.status();
    const rss = connector.peakRssMb();
    await connector.stop();
    const copy = await copyReference(context, connector.databaseUrl);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      messages_per_s: rounded(one.rate),
      rows_per_s: rounded(ten.rate * tenMetrics.length),
      copy_rows_per_s: rounded(copy.rowsPerS),
      ratio: rounded((ten.rate * tenMetrics.length) / copy.rowsPerS, 3),
      ratio_one_point: rounded(one.rate / copy.rowsPerS, 3),
      connector_cpu_us_per_message: rounded(one.cpuUs, 1),
      connector_cpu_us_per_10_points: rounded(ten.cpuUs, 1),
      duplicates: status.duplicates,
      dead_letters: status.dead_letters,
      rss_mb: rounded(rss),
    };
  } finally {
    await connector.drop();
  }
}
