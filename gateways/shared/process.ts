// The process around a gateway: arguments, signals, reload when the configuration changes.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import { fingerprint } from '../../contract/runtime/fingerprint.ts';
import { createLogger } from '../../contract/runtime/logger.ts';
import { runMain } from '../../contract/runtime/shutdown.ts';
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

/**
 * Runs until SIGTERM or SIGINT. Usage of every gateway's process: `main.ts [FILE] [--config FILE]`, default config/gateway.yaml.
 * SIGHUP and a change of the file or of a profile reload; a file with a mistake is refused and the old one stays in force.
 */
export function runGateway(name: string, protocols: readonly Protocol[]): void {
  const logger = createLogger(name);
  runMain(logger, async (shutdown) => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { config: { type: 'string' } },
    });
    const file = values.config ?? positionals[0] ?? 'config/gateway.yaml';
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
  });
}
