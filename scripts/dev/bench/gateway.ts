// gateway: 200 Modbus TCP devices × 20 registers at 1 s in one gateway process, each device on a connection of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadMetrics } from '../../../contract/runtime/profiles.ts';
import { startModbusServer } from '../simulator/modbus-server.ts';
import { nodeFlags } from '../../ops/start/node-flags.ts';
import { nextFreePort } from '../../ops/stack/ports.ts';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { rounded } from './harness/numbers.ts';

const devices = 200;
const registers = 20;
const intervalMs = 1000;
const warmUpMs = 5_000;
const metricsFile = resolve('config/metrics.yaml');
/** As many as registers: every reading is published whole. */
const metrics = [
  ...['milk_flow', 'milk_conductivity', 'milk_temperature', 'milk_fat', 'milk_protein', 'milk_lactose'],
  ...['milk_blood', 'vacuum_pressure', 'pulsation_rate', 'temperature', 'humidity', 'pressure', 'ph'],
  ...['rumination', 'lying', 'standing', 'battery', 'activity', 'steps', 'milk_scc'],
];

/** Needs a broker: the real services. */
export async function run(context: BenchContext): Promise<BenchResult> {
  if (context.mode !== 'real')
    throw new Error('bench gateway needs the real broker: run it without --embedded');
  const parent = join(context.dir, 'bench');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, 'gateway-'));
  const words = Array.from({ length: registers }, (_, index) => 100 + index);
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    registers: () => words,
    fate: () => ({ kind: 'answer', delayMs: 0 }),
  });
  const healthPort = await nextFreePort(context.settings.ports.odoo + 100);
  writeConfig(folder, server.port, healthPort);
  const child = spawn(process.execPath, [...nodeFlags, 'gateways/main.ts', join(folder, 'gateway.yaml')], {
    env: { ...process.env, ...context.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    context.report(`${devices} devices, ${registers} registers each, every ${intervalMs} ms`);
    const url = `http://127.0.0.1:${healthPort}/metrics`;
    await listening(url, child);
    await sleep(warmUpMs);
    const before = await readMetrics(url);
    await sleep(context.quick ? 15_000 : 60_000);
    const after = await readMetrics(url);
    const gained = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const seconds = gained('gateway_process_uptime_seconds');
    const naive = (devices * registers * seconds * 1000) / intervalMs;
    return {
      devices,
      registers,
      missed_cycles: gained('gateway_missed_cycles_total'),
      core_share: rounded(gained('gateway_process_cpu_seconds_total') / seconds, 3),
      requests_ratio: rounded(gained('gateway_requests_total') / naive, 4),
      rss_mb: rounded((after.get('gateway_process_resident_memory_bytes') ?? 0) / 1e6),
      polls_per_s: rounded(gained('gateway_readings_total') / seconds, 1),
      acknowledged_per_s: rounded(gained('gateway_messages_acknowledged_total') / seconds, 1),
      devices_online: after.get('gateway_devices_online') ?? 0,
      seconds: rounded(seconds),
    };
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await new Promise((done) => child.once('exit', done));
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeConfig(folder: string, port: number, healthPort: number): void {
  mkdirSync(join(folder, 'profiles'));
  const catalogue = loadMetrics(metricsFile);
  const map = metrics.map(
    (metric, address) =>
      `    - { name: r${address}, table: input, address: ${address}, metric: ${metric}, unit: '${catalogue.get(metric)?.unit}' }`,
  );
  writeFileSync(
    join(folder, 'profiles', 'bench.yaml'),
    `profile: bench
device_type: milk_meter
manufacturer: Bench
model: Twenty registers
description: As many metrics as registers.
modbus:
  poll_interval_ms: ${intervalMs}
  registers:
${map.join('\n')}
samples: [{ name: none, registers: { input: { '0': 100 } }, expect: {} }]
`,
  );
  const buses = Array.from(
    { length: devices },
    (_, n) =>
      `    - { name: bus-${n}, host: 127.0.0.1, port: ${port}, devices: [{ uid: bench-${n}, profile: bench }] }`,
  );
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `farm: bench
uid: bench-gw
log: { level: error }
mqtt: { url: '\${MQTT_URL}', username: '\${MQTT_USERNAME:-}', password: '\${MQTT_PASSWORD:-}' }
spool: { file: ${join(folder, 'spool.sqlite')} }
health: { port: ${healthPort} }
metrics: ${metricsFile}
modbus:
  buses:
${buses.join('\n')}
`,
  );
}

/** Waits until the gateway answers; throws when it ends, its own words are on the screen then. */
async function listening(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    const answers = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return;
    await sleep(200);
  }
}

/** Values by name, summed over their labels. */
async function readMetrics(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(url)).text();
  const values = new Map<string, number>();
  for (const [, name = '', value = ''] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
    values.set(name, (values.get(name) ?? 0) + Number(value));
  return values;
}
