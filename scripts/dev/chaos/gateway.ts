// gateway: a day without broker at 100 readings a second, time compressed; kill -9 in the outage and while catching up.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { nodeFlags } from '../../ops/start/node-flags.ts';
import { nextFreePort } from '../../ops/stack/ports.ts';

const pointsPerMessage = 10;
const intervalMs = 100;
const dayMessages = 864_000;
const stuckMs = 120_000;
const spoolCapMb = 1024;

export interface GatewayChaosContext {
  env: Readonly<Record<string, string>>;
  dir: string;
  quick: boolean;
  report: (step: string) => void;
}

/** A message holds ten readings, as a milk meter's does. `duplicates`: readings that would be two rows, having come with two times. */
export async function run({ env, dir, quick, report }: GatewayChaosContext) {
  const messages = quick ? dayMessages / 20 : dayMessages;
  const startMs = Date.now() - 86_400_000;
  const folder = mkdtempSync(join(dir, 'gateway-'));
  const farm = `chaos${Date.now()}`;
  const sink = await openSink(env, farm, messages, startMs);
  const port = await nextFreePort(34_000);
  const healthPort = await nextFreePort(port + 1);
  writeConfig(folder, { farm, port, healthPort, messages, startMs });
  const watch = { rssMb: 0, spoolMb: 0 };
  let child = startChild(folder, env);
  let cable: Cable | undefined;
  const look = async (): Promise<Map<string, number>> => {
    const values = await readMetrics(healthPort);
    watch.rssMb = Math.max(watch.rssMb, (values.get('gateway_process_resident_memory_bytes') ?? 0) / 1e6);
    watch.spoolMb = Math.max(watch.spoolMb, (values.get('gateway_spool_bytes') ?? 0) / 1e6);
    return values;
  };
  const until = async (what: string, isDone: (values: Map<string, number>) => boolean) => {
    report(what);
    let [last, movedAt] = ['', performance.now()];
    for (;;) {
      const values = await look();
      if (isDone(values)) return;
      const state = `${values.get('gateway_source_made') ?? 0} ${values.get('gateway_spool_waiting') ?? 0}`;
      if (state !== last) [last, movedAt] = [state, performance.now()];
      if (performance.now() - movedAt > stuckMs) throw new Error(`stuck: ${what} (made, waiting: ${state})`);
      await sleep(250);
    }
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    child = startChild(folder, env);
  };
  /** Most memory since the last look. */
  const peak = () => {
    const mb = Math.round(watch.rssMb);
    watch.rssMb = 0;
    return mb;
  };
  const made = (values: Map<string, number>) => values.get('gateway_source_made') ?? 0;
  try {
    await until('no broker: two hours', (values) => made(values) >= messages / 12);
    const outageEarlyMb = peak();
    await until('half a day', (values) => made(values) >= messages / 2);
    await kill();
    await until('killed; the other half', (values) => made(values) >= messages);
    const outageMb = peak();
    cable = await openCable(port, env['MQTT_URL'] ?? '');
    await until('the broker is back: two hours of readings', () => sink.arrived() >= messages / 12);
    const returnEarlyMb = peak();
    await until('half of them', () => sink.arrived() >= messages / 2);
    await kill();
    await until('killed; the rest', (values) => values.get('gateway_spool_waiting') === 0);
    const returnMb = peak();
    await sleep(1000);
    const counts = sink.counts();
    return {
      outage_readings: messages * pointsPerMessage,
      arrived: counts.arrived * pointsPerMessage,
      lost: (messages - counts.arrived) * pointsPerMessage,
      duplicates: counts.duplicates * pointsPerMessage,
      spool_max_mb: Math.round(watch.spoolMb),
      spool_cap_mb: spoolCapMb,
      rss_outage_early_mb: outageEarlyMb,
      rss_outage_mb: outageMb,
      rss_return_early_mb: returnEarlyMb,
      rss_return_mb: returnMb,
      kills: 2,
      messages,
      repeated_on_wire: counts.repeated,
    };
  } finally {
    child.kill('SIGKILL');
    await cable?.close();
    await sink.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startChild(folder: string, env: Readonly<Record<string, string>>): ChildProcess {
  const program = ['scripts/dev/chaos/gateway-source-process.ts', join(folder, 'gateway.yaml')];
  return spawn(process.execPath, [...nodeFlags, ...program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function writeConfig(
  folder: string,
  given: { farm: string; port: number; healthPort: number; messages: number; startMs: number },
): void {
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `farm: ${given.farm}
uid: chaos-gw
log: { level: error }
mqtt: { url: 'mqtt://127.0.0.1:${given.port}', username: '\${MQTT_USERNAME:-}', password: '\${MQTT_PASSWORD:-}' }
spool: { file: ${join(folder, 'spool.sqlite')}, max_mb: ${spoolCapMb}, commit_ms: 20, backlog_per_s: 0 }
health: { port: ${given.healthPort} }
profiles: ${resolve('config/profiles')}
metrics: ${resolve('config/metrics.yaml')}
source: { messages: ${given.messages}, points: ${pointsPerMessage}, start_ms: ${given.startMs}, interval_ms: ${intervalMs} }
`,
  );
}

/** Counts arrivals by message number; a repetition with the same time is the same row of the database. */
async function openSink(
  env: Readonly<Record<string, string>>,
  farm: string,
  messages: number,
  startMs: number,
) {
  const seen = new Uint8Array(messages);
  const counts = { arrived: 0, repeated: 0, duplicates: 0 };
  const client = await connectAsync(env['MQTT_URL'] ?? '', {
    clientId: `${farm}-sink`,
    ...(env['MQTT_USERNAME'] === undefined ? {} : { username: env['MQTT_USERNAME'] }),
    ...(env['MQTT_PASSWORD'] === undefined ? {} : { password: env['MQTT_PASSWORD'] }),
  });
  client.on('message', (_topic, payload) => {
    const { id, at } = JSON.parse(payload.toString()) as { id: string; at: number };
    const n = Number(id);
    if (at !== startMs + n * intervalMs) counts.duplicates++;
    else if (seen[n] === 0) counts.arrived++;
    else counts.repeated++;
    seen[n] = 1;
  });
  await client.subscribeAsync(`dairy/${farm}/+/+/data`, { qos: 1 });
  return { arrived: () => counts.arrived, counts: () => ({ ...counts }), close: () => client.endAsync(true) };
}

interface Cable {
  close(): Promise<void>;
}

/** The line to the broker; as long as it is not open there is none. */
async function openCable(port: number, brokerUrl: string): Promise<Cable> {
  const { hostname, port: brokerPort } = new URL(brokerUrl);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(brokerPort), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Values by name; none while the process starts. */
async function readMetrics(port: number): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5000) });
    const text = await response.text();
    for (const [, name = '', value = ''] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
      values.set(name, Number(value));
  } catch {
    // It starts, or was just killed.
  }
  return values;
}
