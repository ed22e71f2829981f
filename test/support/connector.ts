// A connector process on a fresh database and the test stack's broker, with a configuration of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { connectAsync, type MqttClient } from 'mqtt';
import { Client } from 'pg';
import { endChild } from './end.ts';
import { freePort } from './free-port.ts';
import { createDatabase, stackEnv, type TestOdoo } from './stack.ts';

/** Options of a test connector. */
export interface ConnectorOptions {
  plain?: boolean;
  odoo?: TestOdoo;
  /** YAML added at the end of the configuration (top-level keys that the base does not use). */
  yaml?: string | ((farm: string) => string);
  /** More of the odoo section, as flow YAML: `secret: x, hook_token: y`. */
  odooYaml?: string;
  /** More of the rest section. */
  restYaml?: string;
  unknownDevices?: 'discover' | 'reject';
  /** Lines of the `milk` section. */
  milk?: string;
  /** `config/connector.yaml` as it is delivered, instead of a configuration for tests. */
  delivered?: boolean;
  /** Environment on top of the stack's. */
  env?: Record<string, string>;
  /** Where it runs: there are config/metrics.yaml and config/profiles. */
  folder?: string;
}

/** A running connector and what a test needs around it. */
export interface TestConnector {
  url: string;
  token: string;
  databaseUrl: string;
  /** Its configuration file and environment, for a second process on the same database and broker. */
  config: string;
  configText: string;
  env: NodeJS.ProcessEnv;
  versions: Record<string, string>;
  /** A farm code nobody else uses: tests share the broker. */
  farm: string;
  mqtt: MqttClient;
  /** The process output so far. */
  log: () => string;
  query: <T = Record<string, unknown>>(sql: string, values?: unknown[]) => Promise<T[]>;
  get: (path: string) => Promise<Response>;
  /** Starts the process (again). Resolves when it is ready to take data. */
  start: () => Promise<void>;
  /** Sends a signal that it survives. */
  signal: (signal: NodeJS.Signals) => void;
  /** Sends a signal and waits for the end. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Stops everything and drops what was made. */
  drop: () => Promise<void>;
}

/** Starts a connector. `drop` it in `after`. */
export async function startConnector(options: ConnectorOptions = {}): Promise<TestConnector> {
  const env = stackEnv();
  const database = await createDatabase({ plain: options.plain ?? false });
  const id = randomBytes(4).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-test-'));
  const config = join(folder, 'connector.yaml');
  const clientId = `test-connector-${id}`;
  const port = await freePort();
  const token = `test-token-${randomBytes(16).toString('hex')}`;
  const farm = `t${id}`;
  const text = configText(clientId, farm, options);
  writeFileSync(config, text);
  const processEnv = {
    ...process.env,
    DATABASE_URL: database.url,
    MQTT_URL: env['MQTT_URL'],
    MQTT_USERNAME: env['MQTT_USERNAME'],
    MQTT_PASSWORD: env['MQTT_PASSWORD'],
    CONNECTOR_URL: `http://127.0.0.1:${port}`,
    CONNECTOR_TOKEN: token,
    ODOO_URL: options.odoo?.url ?? '',
    ODOO_DB: options.odoo?.db ?? '',
    ODOO_API_KEY: options.odoo?.apiKey ?? '',
    ...options.env,
  };
  let output = '';
  let child: ChildProcess | undefined;
  const sql = new Client({ connectionString: database.url, options: '-c timezone=UTC' });
  // The database may be stopped by a fault test; a query then fails and says so.
  sql.on('error', () => undefined);
  await sql.connect();
  const login = { username: env['MQTT_USERNAME'] ?? '', password: env['MQTT_PASSWORD'] ?? '' };
  const url = `http://127.0.0.1:${port}`;
  const get = (path: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });

  const connector: TestConnector = {
    url,
    token,
    databaseUrl: database.url,
    config,
    configText: text,
    env: processEnv,
    versions: database.versions,
    farm,
    mqtt: undefined as unknown as MqttClient,
    log: () => output,
    query: async <T>(text: string, values?: unknown[]) => (await sql.query(text, values)).rows as T[],
    get,
    async start() {
      child = spawn(process.execPath, [resolve('connector/main.ts'), '--config', resolve(config)], {
        cwd: options.folder,
        env: processEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const mine = child;
      for (const stream of [mine.stdout, mine.stderr])
        stream?.on('data', (data: Buffer) => (output += data.toString()));
      await eventually('the connector is ready', async () => {
        if (mine.exitCode !== null) throw new Error(`connector ended with ${mine.exitCode}:\n${output}`);
        const body = (await (await get('/health/ready')).json()) as { status: string };
        // A connector is a standby for a moment before it leads.
        return body.status === 'ready' || body.status === 'degraded';
      });
    },
    signal: (signal) => void child?.kill(signal),
    async stop(signal = 'SIGTERM') {
      if (child === undefined) return null;
      const mine = child;
      child = undefined;
      if (mine.exitCode === null && mine.signalCode === null) {
        mine.kill(signal);
        await once(mine, 'exit');
      }
      return mine.exitCode;
    },
    async drop() {
      await connector.mqtt.endAsync();
      await endChild(child);
      await sql.end();
      await database.drop();
      rmSync(folder, { recursive: true });
      // A clean connection ends the persistent session that the broker keeps for this connector.
      const cleaner = await connectAsync(env['MQTT_URL'] ?? '', { ...login, clientId, clean: true });
      await cleaner.endAsync();
    },
  };
  connector.mqtt = await connectAsync(env['MQTT_URL'] ?? '', { ...login, clientId: `test-publisher-${id}` });
  try {
    await connector.start();
  } catch (error) {
    // Nobody else can: they never get it.
    await connector.drop();
    throw error;
  }
  return connector;
}

function configText(clientId: string, farm: string, options: ConnectorOptions): string {
  // Only the broker has to know it as somebody else.
  if (options.delivered === true)
    return readFileSync('config/connector.yaml', 'utf8').replace(
      '\nmqtt:\n',
      `\nmqtt:\n  client_id: ${clientId}\n`,
    );
  return `
database: { url: '\${DATABASE_URL}', edition: ${options.plain === true ? 'plain' : 'auto'} }
mqtt:
  url: \${MQTT_URL}
  username: \${MQTT_USERNAME:-}
  password: \${MQTT_PASSWORD:-}
  client_id: ${clientId}
  topics:
    - { template: 'smartdairy/sensors/{device_type}/{device_uid}/{message_type}', farm: farm1 }
intake:
  unknown_devices: ${options.unknownDevices ?? 'discover'}
  # The broker is shared: other tests' farms come in too.
  max_new_farms: 1000
milk:
  timezone: Asia/Dhaka
${options.milk ?? ''}
odoo: { url: '\${ODOO_URL:-}', database: '\${ODOO_DB:-}', api_key: '\${ODOO_API_KEY:-}', ${options.odooYaml ?? ''} }
rest: { url: '\${CONNECTOR_URL}', token: '\${CONNECTOR_TOKEN}', ${options.restYaml ?? ''} }
${typeof options.yaml === 'function' ? options.yaml(farm) : (options.yaml ?? '')}
`;
}

/** Waits until `condition` holds; a thrown error counts as not yet. Fails with the last state after a generous while. */
export async function eventually(
  what: string,
  condition: () => Promise<unknown>,
  patienceMs = 90_000,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      last = await condition();
      if (last !== false) return;
    } catch (error) {
      last = error;
      if (error instanceof Error && error.message.startsWith('connector ended')) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`gave up waiting: ${what}`, { cause: last });
}
