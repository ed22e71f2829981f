// mqtt: QoS 1 messages until committed and acknowledged, with 1 and 10 points a message, rules off and on.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { copyReference } from './harness/database.ts';
import { rounded } from './harness/numbers.ts';
import { openPublisher, type Outgoing } from './harness/publisher.ts';

const devices = 1_000;
/** Most messages that wait in the broker: enough that the connector never starves, little enough that nothing piles up. */
const ahead = 20_000;
/** Values that no rule looks at: no milking, no limit of the data-quality watch. */
const quietMetrics = [
  'milk_flow',
  'milk_flow_average',
  'milk_flow_peak',
  'milk_conductivity',
  'milk_temperature',
  'vacuum_pressure',
  'pulsation_rate',
  'milk_fat',
  'milk_protein',
  'milk_lactose',
];
/** Values of a milking; the watch looks at the first two of the air. */
const milkingMetrics = ['milk_yield_increment', 'temperature', 'humidity', ...quietMetrics.slice(0, 7)];
/** A milking of the benchmark has a start, readings and an end. */
const messagesPerMilking = 100;

/** What is sent. With `rules` every message belongs to a milking, and each meter is at another moment of its own. */
interface Traffic {
  name: string;
  metrics: readonly string[];
  rules: boolean;
  seconds: number;
}

/** Messages of 1,000 meters in turn, a minute old; no meter says the same moment twice. */
function messages({ metrics, rules }: Traffic): () => Outgoing {
  let count = 0;
  const startAt = Date.now() - 60_000;
  let moment = '';
  return () => {
    const device = count % devices;
    const round = Math.floor(count / devices);
    if (device === 0) moment = new Date(startAt + round).toISOString();
    count += 1;
    const points = metrics.map(
      (metric, index) => `{"m":"${metric}","v":${(count + index) % 10}.${count % 97}}`,
    );
    const session = rules ? `,"session":${sessionOf(round + device, startAt)}` : '';
    return {
      topic: `dairy/bench/milk_meter/m${device}/data`,
      payload: `{"v":1,"at":"${moment}","points":[${points.join(',')}]${session}}`,
    };
  };
}

/** The milking and what happens in it, at a meter's message number `step`. */
function sessionOf(step: number, startAt: number): string {
  const inMilking = step % messagesPerMilking;
  const event = inMilking === 0 ? 'start' : inMilking === messagesPerMilking - 1 ? 'end' : 'reading';
  return `{"id":"${startAt}-${Math.floor(step / messagesPerMilking)}","event":"${event}"}`;
}

interface Measured {
  /** Messages per second, first publish to last commit. */
  rate: number;
  /** Processor time of the connector for one message, in microseconds: hardly depends on who else uses the machine. */
  cpuUs: number;
  /** Resident memory of the connector at the end of each minute, MB. */
  rssMb: number[];
}

/** Publishes as fast as the connector commits, for so long. */
async function measure(
  context: BenchContext,
  connector: BenchConnector,
  traffic: Traffic,
): Promise<Measured> {
  const { name, seconds } = traffic;
  context.report(`${name}, ${seconds} s`);
  const publisher = await openPublisher(context.env, 'bench-publisher');
  const next = messages(traffic);
  const before = (await connector.status()).messages_received;
  // The first messages register the devices; that happens once in a device's life.
  await publisher.publish(devices, next);
  await connector.committed(before + devices);
  let published = devices;
  const cpuBefore = connector.cpuS();
  const startedAt = performance.now();
  const seen = { at: startedAt, count: devices };
  const rssMb: number[] = [];
  while (performance.now() - startedAt < seconds * 1000) {
    const committed = (await connector.status()).messages_received - before;
    const room = committed + ahead - published;
    if (room >= 1_000) {
      await publisher.publish(room, next);
      published += room;
    } else await sleep(10);
    const minutes = Math.floor((performance.now() - startedAt) / 60_000);
    if (minutes > rssMb.length) rssMb.push(Math.round(connector.rssMb()));
    const sinceS = (performance.now() - seen.at) / 1000;
    if (sinceS >= 5) {
      const rate = Math.round((committed - seen.count) / sinceS);
      context.report(`${name}: ${rate} messages/s, ${Math.round(connector.rssMb())} MB`);
      Object.assign(seen, { at: performance.now(), count: committed });
    }
  }
  await publisher.acknowledged();
  await connector.committed(before + published);
  const measured = published - devices;
  const rate = measured / ((performance.now() - startedAt) / 1000);
  publisher.close();
  return { rate, cpuUs: ((connector.cpuS() - cpuBefore) / measured) * 1e6, rssMb };
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const connector = await startBenchConnector(context);
  try {
    const [long, short] = context.quick ? [15, 7] : [context.huge ? 601 : 121, 10];
    const run = (metrics: readonly string[], rules: boolean, seconds: number) => {
      const name = `${metrics.length} ${metrics.length === 1 ? 'point' : 'points'} a message, rules ${rules ? 'on' : 'off'}`;
      return measure(context, connector, { name, metrics, rules, seconds });
    };
    const one = await run(quietMetrics.slice(0, 1), false, long);
    const ten = await run(quietMetrics, false, short);
    const ruledOne = await run(milkingMetrics.slice(0, 1), true, short);
    const ruledTen = await run(milkingMetrics, true, short);
    const status = await connector.status();
    const rss = connector.peakRssMb();
    await connector.stop();
    const copy = await copyReference(context, connector.databaseUrl);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      messages_per_s: rounded(one.rate),
      rows_per_s: rounded(ten.rate * quietMetrics.length),
      rules_messages_per_s: rounded(ruledOne.rate),
      rules_rows_per_s: rounded(ruledTen.rate * milkingMetrics.length),
      milkings: status.milkings_closed,
      copy_rows_per_s: rounded(copy.rowsPerS),
      ratio: rounded((ten.rate * quietMetrics.length) / copy.rowsPerS, 3),
      ratio_one_point: rounded(one.rate / copy.rowsPerS, 3),
      connector_cpu_us_per_message: rounded(one.cpuUs, 1),
      connector_cpu_us_per_10_points: rounded(ten.cpuUs, 1),
      connector_cpu_us_per_message_with_rules: rounded(ruledOne.cpuUs, 1),
      duplicates: status.duplicates,
      dead_letters: status.dead_letters,
      ...(one.rssMb.length > 0 ? { rss_mb_by_minute: one.rssMb.join(' ') } : {}),
      rss_mb: rounded(rss),
    };
  } finally {
    await connector.drop();
  }
}
