// The product's own processes as services: connector, gateway and the simulated farm.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repoDir, writePrivate } from '../stack/instance.ts';
import { passwordFile } from '../stack/mosquitto-config.ts';
import { odooLinkEnv } from '../stack/odoo-link.ts';
import { createService, type ServiceSpec } from '../stack/service.ts';
import type { EnvValues, Instance, ManagedService, Settings } from '../stack/types.ts';
import { nodeFlags } from './node-flags.ts';
import { configurationText, programEnv, type ProgramName } from './program-env.ts';
import { placeOf, programDir } from './program-user.ts';

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
  const hasBrokerInside = (env['MQTT_EMBEDDED_PORT'] ?? '') !== '';
  if (hasBrokerInside) writeEmbeddedAccounts(instance, settings);
  const places = {
    connector: placeOf(instance, 'connector'),
    gateway: placeOf(instance, 'gateway'),
    simulator: placeOf(instance, 'simulator'),
  };
  const given = {
    own: process.env,
    stack: env,
    secrets: settings.secrets,
    more: {
      ...odooLinkEnv(settings),
      ODOO_API_KEY_FILE: join(places.connector.dataDir, 'odoo-api-key'),
      MQTT_EMBEDDED_ACCOUNTS_FILE: hasBrokerInside ? join(places.connector.dataDir, accountsFile) : '',
      SIMULATOR_MODBUS_PORT: String(settings.ports.modbus),
      SIMULATOR_RFID_PORT: String(settings.ports.rfid),
      GATEWAY_HTTP_PORT: String(settings.ports.intake),
      SIMULATOR_HTTP_TOKEN: randomBytes(16).toString('hex'),
      GATEWAY_SPOOL_FILE: join(places.gateway.dataDir, 'gateway-spool.sqlite'),
    },
  };
  const program = (name: ProgramName, args: string[], isReady: ServiceSpec['isReady']): ManagedService =>
    createService({
      name,
      command: [...places[name].prefix, places[name].node, ...args] as [string, ...string[]],
      cwd: repoDir,
      env: programEnv(name, given, configurationText(name)),
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

const accountsFile = 'broker-accounts';

/** The programs' accounts for a broker inside the connector: hashes, as a broker has them. */
function writeEmbeddedAccounts(instance: Instance, { secrets }: Settings): void {
  const file = join(programDir(instance, 'connector'), accountsFile);
  writePrivate(file, passwordFile(secrets, ['gateway', 'chirpstack', 'simulator']));
}
