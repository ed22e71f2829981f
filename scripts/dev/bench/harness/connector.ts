// The connector as a process of its own on a database of its own, watched from outside.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectorStatus } from '../../../ops/start/connector-api.ts';
import { nodeFlags } from '../../../ops/start/node-flags.ts';
import { nextFreePort } from '../../../ops/stack/ports.ts';
import type { BenchContext } from './bench.ts';
import { createBenchDatabase } from './database.ts';

/** A running connector. */
export interface BenchConnector {
  url: string;
  token: string;
  databaseUrl: string;
  versions: Record<string, string>;
  status: () => Promise<ConnectorStatus>;
  /** Waits until so many messages are committed; fails when nothing moves for a minute. */
  committed: (messages: number) => Promise<void>;
  /** Processor time that the connector has used so far, in seconds. */
  cpuS: () => number;
  /** Resident memory now, MB. */
  rssMb: () => number;
  /** Highest resident memory so far, MB. */
  peakRssMb: () => number;
  /** Ends the process cleanly, e.g. before the reference has the machine for itself. */
  stop: () => Promise<void>;
  /** Ends the process and drops the database. */
  drop: () => Promise<void>;
}

/** Options of a benchmark's connector. */
export interface ConnectorOptions {
  odoo?: { url: string; db: string; apiKey: string };
  /** More of the odoo section, as flow YAML: `secret: x`. */
  odooYaml?: string;
  /** YAML added at the end. */
  yaml?: string;
}

/** Starts a connector on a fresh database and waits until it takes messages. */
export async function startBenchConnector(
  context: BenchContext,
  options: ConnectorOptions = {},
): Promise<BenchConnector> {
  const { env } = context;
  context.report('starting the connector on a fresh database');
  const database = await createBenchDatabase(context);
  const folder = join(context.dir, 'bench');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = join(folder, 'connector.yaml');
  writeFileSync(config, configText(options));
  const url = `http://127.0.0.1:${await nextFreePort(context.settings.ports.connector)}`;
  const token = env['CONNECTOR_TOKEN'] ?? '';
  const logFile = join(folder, 'connector.log');
  const profile = context.profileDir === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${context.profileDir}`];
  const child = spawn(process.execPath, [...nodeFlags, ...profile, 'connector/main.ts', '--config', config], {
    env: {
      ...process.env,
      ...env,
      DATABASE_URL: database.url,
      CONNECTOR_URL: url,
      ODOO_URL: options.odoo?.url ?? '',
      ODOO_DB: options.odoo?.db ?? '',
      ODOO_API_KEY: options.odoo?.apiKey ?? '',
    },
    stdio: ['ignore', openSync(logFile, 'w', 0o600), openSync(logFile, 'a', 0o600)],
  });
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, residentMb(child))), 250);
  const get = async (path: string) =>
    await (await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })).json();

  const connector: BenchConnector = {
    url,
    token,
    databaseUrl: database.url,
    versions: database.versions,
    status: async () => (await get('/api/v1/status')) as ConnectorStatus,
    async committed(messages) {
      let last = -1;
      let movedAt = Date.now();
      for (;;) {
        const { messages_received: now } = await connector.status();
        if (now >= messages) return;
        if (now !== last) movedAt = Date.now();
        last = now;
        if (Date.now() - movedAt > 60_000)
          throw new Error(`${now} of ${messages} messages committed, and nothing moves: read ${logFile}`);
        await sleep(20);
      }
    },
    cpuS: () => processorSeconds(child),
    rssMb: () => residentMb(child),
    peakRssMb: () => peak,
    async stop() {
      clearInterval(watch);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
    async drop() {
      await connector.stop();
      await database.drop();
    },
  };
  await untilReady(child, get, logFile);
  return connector;
}

async function untilReady(
  child: ChildProcess,
  get: (path: string) => Promise<unknown>,
  logFile: string,
): Promise<void> {
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the connector ended with ${child.exitCode}: read ${logFile}`);
    const answer = await get('/health/ready').catch(() => undefined);
    const status = (answer as { status?: string } | undefined)?.status;
    if (status === 'ready' || status === 'degraded') return;
    await sleep(100);
  }
}

function residentMb({ pid }: ChildProcess): number {
  try {
    const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1];
    return Number(kb ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Linux counts user and system time in hundredths of a second. */
function processorSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function configText({ yaml = '', odooYaml = '' }: ConnectorOptions): string {
  return `
database: { url: '\${DATABASE_URL}' }
mqtt: { url: '\${MQTT_URL}', username: '\${MQTT_USERNAME:-}', password: '\${MQTT_PASSWORD:-}', client_id: bench-connector, embedded_port: '\${MQTT_EMBEDDED_PORT:-}' }
odoo: { url: '\${ODOO_URL:-}', database: '\${ODOO_DB:-}', api_key: '\${ODOO_API_KEY:-}', ${odooYaml} }
rest: { url: '\${CONNECTOR_URL}', token: '\${CONNECTOR_TOKEN}' }
${yaml}
`;
}
