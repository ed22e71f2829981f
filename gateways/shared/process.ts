// The process around a gateway: arguments, signals, reload when the configuration changes.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { atMost, readArgs, runCommand } from '../../contract/runtime/command-line.ts';
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import { fingerprint } from '../../contract/runtime/fingerprint.ts';
import { createLogger, type Logger } from '../../contract/runtime/logger.ts';
import { runMain, type Shutdown } from '../../contract/runtime/shutdown.ts';
import { loadGatewayConfig } from './config.ts';
import { startGateway } from './gateway.ts';
import type { Protocol } from './protocol.ts';

const lookEveryMs = 2000;

/** Folders beside this one: every protocol there is. */
export function protocolNames(): string[] {
  const gateways = resolve(import.meta.dirname, '..');
  return readdirSync(gateways, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() &&
        entry.name !== 'shared' &&
        statSync(join(gateways, entry.name, 'protocol.ts'), { throwIfNoEntry: false }),
    )
    .map(({ name }) => name);
}

const usage = `Usage: main.ts [FILE] or --config FILE      (npm run gateway -- [FILE])
  FILE   config/gateway.yaml, or another one of its kind; every key is in docs/configuration.md
  SIGHUP and a change of FILE or of a profile load it again. MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD and what else FILE names
  come from the environment; npm run gateway takes them from .stack/env of npm start where they are not set.`;

interface RunOptions {
  /** A start that fails is told in plain words, also where nobody sits at a terminal. */
  forPeople?: boolean;
  /** Runs before the file is read, once the arguments make sense. */
  prepare?: () => Promise<void>;
}

/** Several protocols in one process. */
export async function runAllGateways(options: RunOptions = {}): Promise<void> {
  const protocols: Protocol[] = [];
  for (const name of protocolNames()) {
    const { protocol } = (await import(`../${name}/protocol.ts`)) as { protocol: Protocol };
    protocols.push(protocol);
  }
  runGateway('gateway', protocols, options);
}

/** Runs until SIGTERM or SIGINT. A changed file with a mistake is refused and the old one stays in force. */
export function runGateway(name: string, protocols: readonly Protocol[], options: RunOptions = {}): void {
  const logger = createLogger(name);
  const start = async (args: readonly string[]): Promise<void> => {
    const { values, positionals } = readArgs(args, { config: { type: 'string' } });
    atMost(values.config === undefined ? 1 : 0, positionals);
    await options.prepare?.();
    runFile(logger, protocols, values.config ?? positionals[0] ?? 'config/gateway.yaml', options);
  };
  runCommand(usage, start).catch((error: unknown) => {
    logger.fatal({ error: messageOf(error) }, 'could not start');
    process.exitCode = 1;
  });
}

function runFile(
  logger: Logger,
  protocols: readonly Protocol[],
  file: string,
  { forPeople = process.stderr.isTTY }: RunOptions,
): void {
  const main = async (shutdown: Shutdown): Promise<void> => {
    const own = new Set(protocols.map((protocol) => protocol.name));
    const others = protocolNames().filter((other) => !own.has(other));
    const load = () => {
      const loaded = loadGatewayConfig(file, protocols, process.env, others);
      logger.level = loaded.shared.log.level;
      return loaded;
    };
    const config = load();
    const gateway = await startGateway(config, protocols, logger);
    shutdown.onRelease('gateway', () => gateway.stop());
    logger.info(
      {
        farm: config.shared.farm,
        gateway: config.shared.uid,
        protocols: [...config.settings.keys()],
        health_port: gateway.healthPort(),
      },
      'gateway runs',
    );
    const reload = () => {
      Promise.try(() => gateway.reload(load())).then(
        () => logger.info({ file }, 'configuration loaded again'),
        (error: unknown) =>
          logger.error({ error: messageOf(error) }, 'configuration not loaded; the old one stays in force'),
      );
    };
    process.on('SIGHUP', reload);
    const folders = [resolve(dirname(file), config.shared.profiles)];
    let print = fingerprint([file], folders);
    const look = () => {
      const next = fingerprint([file], folders);
      if (next === print) return;
      print = next;
      reload();
    };
    const timer = setInterval(bounded(logger, 'look for changes', look), lookEveryMs);
    shutdown.onRelease('watch', () => clearInterval(timer));
  };
  runMain(logger, main, forPeople);
}
