// latency: from the device's moment to commit, live stream and Odoo record, at 1,000 messages/s of which 20 are milkings.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { WebSocket } from 'ws';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { milking } from './harness/milkings.ts';
import { percentile, rounded } from './harness/numbers.ts';
import { benchOdoo } from './harness/odoo.ts';
import { openPublisher } from './harness/publisher.ts';

const messagesPerS = 1_000;
const milkingEvery = 50;
const devices = 500;
const stepMs = 10;

/** Milkings by session id: when they ended for the device, and when each stage had them. */
type Marks = Map<string, number>;

/** Notes when milkings are committed: the outbox notifies at commit, and only then a query sees the row. */
async function watchCommits(url: string, marks: Marks): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let last = 0;
  let running = false;
  let again = false;
  const look = async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      const { rows } = await client.query<{ id: string; wire_id: string }>(
        'SELECT id, wire_id FROM iot.milk_session WHERE id > $1 ORDER BY id',
        [last],
      );
      const now = Date.now();
      for (const row of rows) {
        last = Math.max(last, Number(row.id));
        marks.set(row.wire_id, now);
      }
    }
    running = false;
  };
  client.on('notification', () => {
    look().catch((error: unknown) => console.error(error));
  });
  await client.query('LISTEN iot_outbox');
  return client;
}

/** Notes when the live stream tells of milkings, and of Odoo's answers. */
async function watchLive({ url, token }: BenchConnector, live: Marks, odoo: Marks): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('message', (data: Buffer) => {
    const event = JSON.parse(data.toString()) as { type: string; kind?: string; source_id: string };
    const id = event.source_id.split('/').at(-1) ?? '';
    if (event.type === 'milking') live.set(id, Date.now());
    else if (event.kind === 'milk_session') odoo.set(id, Date.now());
  });
  await once(socket, 'open');
  return socket;
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const odooDb = await benchOdoo(context);
  const connector = await startBenchConnector(context, { odoo: odooDb });
  const [ended, committed, live, odoo]: [Marks, Marks, Marks, Marks] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  try {
    const client = await watchCommits(connector.databaseUrl, committed);
    const socket = await watchLive(connector, live, odoo);
    const publisher = await openPublisher(context.env, 'bench-latency');
    let count = 0;
    const next = () => {
      count += 1;
      const at = Date.now();
      const device = count % devices;
      if (count % milkingEvery !== 0) {
        return {
          topic: `dairy/bench/temperature/t${device}/data`,
          payload: `{"v":1,"at":${at},"points":[{"m":"temperature","v":4.${count % 10}}]}`,
        };
      }
      const id = `b${count}`;
      if (warm) ended.set(id, at);
      return milking(device, id, at);
    };
    let warm = false;
    const publishFor = async (seconds: number) => {
      const startedAt = performance.now();
      let published = 0;
      for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - startedAt) {
        const due = Math.floor((elapsedMs / 1000) * messagesPerS) - published;
        if (due > 0) await publisher.publish(due, next);
        published += due;
        await sleep(stepMs);
      }
      return published / seconds;
    };
    context.report('warming up: devices become known, also to Odoo');
    await publishFor(8);
    await sleep(3_000);
    warm = true;
    const seconds = context.quick ? 20 : 120;
    context.report(`${messagesPerS} messages/s for ${seconds} s`);
    const rate = await publishFor(seconds);
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && [...ended.keys()].some((id) => !odoo.has(id))) await sleep(100);
    publisher.close();
    socket.close();
    await client.end();
    const delays = (marks: Marks) =>
      Float64Array.from(
        [...ended].flatMap(([id, at]) => ((marks.get(id) ?? 0) > 0 ? [(marks.get(id) ?? 0) - at] : [])),
      );
    const [commitMs, liveMs, odooMs] = [delays(committed), delays(live), delays(odoo)];
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      messages_per_s: rounded(rate),
      milkings: ended.size,
      milkings_in_odoo: odooMs.length,
      commit_p50_ms: rounded(percentile(commitMs, 0.5)),
      commit_p99_ms: rounded(percentile(commitMs, 0.99)),
      live_p50_ms: rounded(percentile(liveMs, 0.5)),
      live_p99_ms: rounded(percentile(liveMs, 0.99)),
      odoo_p50_ms: rounded(percentile(odooMs, 0.5)),
      odoo_p99_ms: rounded(percentile(odooMs, 0.99)),
      rss_mb: rounded(connector.peakRssMb()),
    };
  } finally {
    await connector.drop();
    await odooDb.drop();
  }
}
