// The product's own processes as services: connector, gateway and the simulated farm.
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repoDir } from '../stack/instance.ts';
import { odooLinkEnv } from '../stack/odoo-link.ts';
import { createService, type ServiceSpec } from '../stack/service.ts';
import type { EnvValues, Instance, ManagedService, Settings } from '../stack/types.ts';
import { nodeFlags } from './node-flags.ts';

interface Programs {
  instance: Instance;
  settings: Settings;
  env: EnvValues;
  withSimulator: boolean;
  simulatorArgs: readonly string[];
  onSpawn: (name: string, pid: number) => void;
  onTrouble: (message: unknown) => void;
}

/** In the order of starting; stop them in the reverse one. */
export function createPrograms(programs: Programs): ManagedService[] {
  const { instance, settings, env } = programs;
  const childEnv = {
    ...process.env,
    ...odooLinkEnv(instance, settings),
    ...env,
    SIMULATOR_MODBUS_PORT: String(settings.ports.modbus),
    SIMULATOR_RFID_PORT: String(settings.ports.rfid),
    GATEWAY_HTTP_PORT: String(settings.ports.intake),
    SIMULATOR_HTTP_TOKEN: randomBytes(16).toString('hex'),
    GATEWAY_SPOOL_FILE: join(instance.dir, 'gateway-spool.sqlite'),
  };
  const program = (name: string, args: string[], isReady: ServiceSpec['isReady']): ManagedService =>
    createService({
      name,
      command: dieWithParent([process.execPath, ...args]),
      cwd: repoDir,
      env: childEnv,
      detached: true,
      logFile: join(instance.logDir, `${name}.log`),
      stopSignal: 'SIGTERM',
      isReady,
      onSpawn: (pid) => programs.onSpawn(name, pid),
      onTrouble: programs.onTrouble,
    });

  const health = `${env['CONNECTOR_URL'] ?? ''}/health/live`;
  const connector = program('connector', [...nodeFlags, 'connector/main.ts'], () =>
    fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    ),
  );
  // These two have no address to ask: they are ready when they have not died at once.
  const survives = (): Promise<boolean> => sleep(300, true);
  const gateway = program('gateway', [...nodeFlags, 'gateways/main.ts'], survives);
  if (!programs.withSimulator) return [connector, gateway];
  const { modbus, rfid, intake } = settings.ports;
  const ports = ['--modbus-port', String(modbus), '--rfid-port', String(rfid)];
  const surroundings = ['--surroundings', '--http-url', `http://127.0.0.1:${intake}`];
  const simulatorArgs = [
    'scripts/dev/simulator/main.ts',
    ...ports,
    ...surroundings,
    ...programs.simulatorArgs,
  ];
  return [connector, program('simulator', simulatorArgs, survives), gateway];
}

/** Where the kernel can promise it, the child ends with us even if we are killed; elsewhere the next start ends it. */
function dieWithParent(command: [string, ...string[]]): [string, ...string[]] {
  const setpriv = '/usr/bin/setpriv';
  try {
    accessSync(setpriv, constants.X_OK);
    return [setpriv, '--pdeathsig', 'TERM', '--', ...command];
  } catch {
    return command;
  }
}
