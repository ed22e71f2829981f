// A gateway as its own process, as `npm run gateway -- FILE` runs it, with a configuration that the test may rewrite.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { endChild } from '../../support/end.ts';
import { until, type Broker } from './broker.ts';

export interface GatewayProcess {
  file: string;
  folder: string;
  /** What it logged since its (last) start. */
  log: () => string;
  /** Writes the configuration: the shared part with these sections. */
  configure: (sections: string) => void;
  /** Starts it (again); resolves when it runs. */
  start: () => Promise<void>;
  signal: (signal: NodeJS.Signals) => void;
  /** Sends a signal and waits for the end; the exit code, null after SIGKILL. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  drop: () => Promise<void>;
}

export interface GatewayProcessOptions {
  farm: string;
  uid: string;
  broker: Pick<Broker, 'url' | 'username' | 'password'>;
  /** Sections of gateway.yaml. */
  sections: string;
}

/** Prepares one; `drop` it in the end. */
export function gatewayProcess(options: GatewayProcessOptions): GatewayProcess {
  const { farm, uid, broker, sections } = options;
  const folder = mkdtempSync(join(tmpdir(), 'gateway-process-'));
  const file = join(folder, 'gateway.yaml');
  const shared = `farm: ${farm}
uid: ${uid}
mqtt: { url: '\${MQTT_URL}', username: '\${MQTT_USERNAME:-}', password: '\${MQTT_PASSWORD:-}' }
spool: { file: '${join(folder, 'spool.sqlite')}', commit_ms: 20 }
profiles: ${resolve('config/profiles')}
metrics: ${resolve('config/metrics.yaml')}
`;
  const configure = (text: string) => writeFileSync(file, shared + text);
  configure(sections);
  let child: ChildProcess | undefined;
  let output = '';
  const gateway: GatewayProcess = {
    file,
    folder,
    configure,
    log: () => output,
    async start() {
      output = '';
      const mine = spawn(process.execPath, ['gateways/main.ts', file], {
        env: {
          ...process.env,
          MQTT_URL: broker.url,
          MQTT_USERNAME: broker.username,
          MQTT_PASSWORD: broker.password,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = mine;
      for (const stream of [mine.stdout, mine.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await until('the gateway runs', () => {
        if (mine.exitCode !== null) throw new Error(`the gateway ended with ${mine.exitCode}:\n${output}`);
        return output.includes('gateway runs');
      });
    },
    signal: (signal) => void child?.kill(signal),
    async stop(signal = 'SIGTERM') {
      const mine = child;
      child = undefined;
      if (mine === undefined) return null;
      if (mine.exitCode === null && mine.signalCode === null) {
        mine.kill(signal);
        await once(mine, 'exit');
      }
      return mine.exitCode;
    },
    async drop() {
      await endChild(child);
      rmSync(folder, { recursive: true });
    },
  };
  return gateway;
}
