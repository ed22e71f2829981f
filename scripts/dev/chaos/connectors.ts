// Connector processes of the run: one leads, a second may stand by; one that ends by itself is started again.
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextFreePort } from '../../ops/stack/ports.ts';

/** What all connectors of the run share. */
export interface ConnectorSetup {
  folder: string;
  /** Addresses and secrets as the connectors shall see them. */
  env: Readonly<Record<string, string>>;
  firstPort: number;
}

/** A day and kind of the comparison with Odoo. */
export interface Compared {
  kind: string;
  day: string;
  requeued: number;
  waiting: number;
  surplus: number;
  agrees: boolean;
}

/** The connectors. */
export interface Connectors {
  start: () => Promise<void>;
  /** Waits until one takes messages. Before the first subscription the broker has nobody to keep messages for. */
  ready: () => Promise<void>;
  /** Stops all with SIGSTOP, until they are killed. */
  freeze: () => void;
  /** Kills all with SIGKILL. */
  kill: () => Promise<void>;
  /** Starts a second one, waits until it stands by, then kills the first with SIGKILL. */
  replace: () => Promise<void>;
  /** Has the last days compared with Odoo; what differs goes there again. Undefined while nobody can. */
  compare: (days: number) => Promise<readonly Compared[] | undefined>;
  /** Ends all for good. */
  stop: () => Promise<void>;
}

/** MQTT client of all of them. */
export const connectorClient = 'chaos-connector';

const config = `
database: { url: '\${DATABASE_URL}' }
mqtt: { url: '\${MQTT_URL}', username: '\${MQTT_USERNAME}', password: '\${MQTT_PASSWORD}', client_id: ${connectorClient}, embedded_port: '\${MQTT_EMBEDDED_PORT:-}' }
odoo: { url: '\${ODOO_URL}', database: '\${ODOO_DB}', api_key: '\${ODOO_API_KEY}' }
rest: { url: '\${CONNECTOR_URL}', token: '\${CONNECTOR_TOKEN}' }
milk: { silence_seconds: 12 }
`;

interface Member {
  child: ChildProcess;
  url: string;
}

/** Nothing runs before start(). */
export function createConnectors({ folder, env, firstPort }: ConnectorSetup): Connectors {
  const file = join(folder, 'connector.yaml');
  writeFileSync(file, config);
  const log = openSync(join(folder, 'connector.log'), 'a', 0o600);
  let members: Member[] = [];
  let stopped = false;

  async function launch(): Promise<Member> {
    const url = `http://127.0.0.1:${await nextFreePort(firstPort)}`;
    const child = spawn(process.execPath, ['connector/main.ts', '--config', file], {
      env: { ...process.env, ...env, CONNECTOR_URL: url },
      stdio: ['ignore', log, log],
    });
    const member = { child, url };
    members.push(member);
    child.once('exit', () => {
      const isKnown = members.includes(member);
      members = members.filter((other) => other !== member);
      // It ended by itself, as one does that was replaced: whoever supervises it starts it again.
      if (isKnown && !stopped && members.length === 0) sleep(1_000).then(launch).catch(console.error);
    });
    return member;
  }

  const statusOf = async ({ url }: Member): Promise<string | undefined> => {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => undefined,
    );
    return ((await answer?.json()) as { status?: string } | undefined)?.status;
  };

  async function until(member: Member, wanted: readonly string[]): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (wanted.includes((await statusOf(member)) ?? '')) return;
      await sleep(100);
    }
    throw new Error(`no connector is ${wanted.join(' or ')}: read ${folder}/connector.log`);
  }

  async function end(victims: readonly Member[], signal: NodeJS.Signals): Promise<void> {
    members = members.filter((member) => !victims.includes(member));
    await Promise.all(
      victims.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill(signal);
        await gone;
      }),
    );
  }

  return {
    async start() {
      await launch();
    },
    async ready() {
      for (const member of members) await until(member, ['ready', 'degraded']);
    },
    freeze() {
      for (const { child } of members) child.kill('SIGSTOP');
    },
    kill: () => end([...members], 'SIGKILL'),
    async replace() {
      const first = [...members];
      const second = await launch();
      await until(second, ['standby', 'ready', 'degraded']);
      await end(first, 'SIGKILL');
    },
    async compare(days) {
      const response = await fetch(`${members[0]?.url ?? ''}/api/v1/odoo/reconciliation`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${env['CONNECTOR_TOKEN'] ?? ''}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ days }),
      }).catch(() => undefined);
      return response?.ok === true ? ((await response.json()) as Compared[]) : undefined;
    },
    async stop() {
      stopped = true;
      await end([...members], 'SIGTERM');
    },
  };
}
