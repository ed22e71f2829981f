// Real mode: PostgreSQL 17 + TimescaleDB, Mosquitto and Odoo 19 in a private root, each as its own user.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { adminUrl, answers, setUpDatabase, withClient } from '../database.ts';
import { commonEnv, databaseUrl } from '../env-file.ts';
import { readSettings, repoDir } from '../instance.ts';
import { writeMosquittoConfig } from '../mosquitto-config.ts';
import { isPortFree } from '../ports.ts';
import { postgresArgs } from '../postgres-options.ts';
import { createService } from '../service.ts';
import type { Instance, ManagedService, Report, RunningStack, Settings } from '../types.ts';
import { enterRoot, type Chroot } from './chroot.ts';
import { installOdoo, odooEnv, odooService } from './odoo.ts';
import { startOdoo } from './patience.ts';
import { rootDir } from './root.ts';
import { ensureSeed, seedPassword } from './seed.ts';

/** Runs inside the daemon's namespace. Adds each service to `services` as soon as it exists. */
export async function startReal(
  instance: Instance,
  report: Report,
  services: ManagedService[],
): Promise<RunningStack> {
  const settings = readSettings(instance);
  if (settings === undefined) throw new Error(`${instance.settingsFile} is missing: run npm run stack -- up`);
  const dir = join(instance.dir, 'real');
  const world = enterInstance(dir);

  const cluster = join(dir, 'postgres');
  if (!existsSync(join(cluster, 'data'))) {
    await ensureSeed(world, rootDir(), report);
    report('copying the prepared database');
    copySeed(join(rootDir(), 'seed'), dir);
  }
  world.own(cluster, 'postgres');
  world.own(join(dir, 'odoo'), 'odoo');

  report('starting PostgreSQL');
  const postgres = postgresService(world, instance, settings);
  services.push(postgres);
  await postgres.start();
  const databaseVersions = await setUpDatabase(settings);

  report('starting Mosquitto');
  const mosquitto = mosquittoService(world, instance, settings, dir);
  services.push(mosquitto);
  await mosquitto.start();

  const installed = await installOdoo(world, instance, settings, report);
  report('starting Odoo');
  const odoo = odooService(world, instance, installed);
  services.push(odoo);
  await startOdoo(odoo, instance, settings, report);

  const versionOf = (name: string): Promise<string> =>
    world.run('root', ['dpkg-query', '-W', '-f', '${Version}', name]);
  return {
    env: {
      ...odooEnv(installed),
      ...commonEnv(installed),
      MQTT_BOUND_URL: `mqtt://127.0.0.1:${installed.ports.mqttBound}`,
      ...(instance.name !== 'demo' ? { ADMIN_DATABASE_URL: adminUrl(installed) } : {}),
    },
    versions: {
      ...databaseVersions,
      Mosquitto: await versionOf('mosquitto'),
      Odoo: await versionOf('odoo-19'),
    },
  };
}

function enterInstance(dir: string): Chroot {
  for (const name of ['postgres', 'mosquitto', 'odoo'])
    mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
  const binds = {
    'srv/postgres': join(dir, 'postgres'),
    'srv/odoo': join(dir, 'odoo'),
    mosquitto: join(dir, 'mosquitto'),
  };
  return enterRoot(join(rootDir(), 'fs'), binds, { 'srv/addons': join(repoDir, 'odoo-addon-bridge') });
}

/** A copy counts only when it is complete. */
function copySeed(seed: string, dir: string): void {
  for (const [from, to] of [
    ['postgres', 'postgres/data'],
    ['odoo', 'odoo/data'],
  ] as const) {
    const part = join(dir, `${to}.part`);
    rmSync(part, { recursive: true, force: true });
    rmSync(join(dir, to), { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', join(seed, from), part]);
  }
  cpSync(join(seed, 'password'), join(dir, 'postgres/seed-password'));
  renameSync(join(dir, 'odoo/data.part'), join(dir, 'odoo/data'));
  renameSync(join(dir, 'postgres/data.part'), join(dir, 'postgres/data'));
}

function postgresService(world: Chroot, instance: Instance, settings: Settings): ManagedService {
  const extra = { shared_preload_libraries: 'timescaledb', 'timescaledb.telemetry_level': 'off' };
  const args = postgresArgs('/srv/postgres/data', settings.ports.postgres, instance.name, extra);
  const seedUrl = databaseUrl(
    'postgres',
    seedPassword(join(instance.dir, 'real/postgres/seed-password')),
    settings.ports.postgres,
    'postgres',
  );
  return createService({
    name: 'postgres',
    command: world.command('postgres', '/usr/lib/postgresql/17/bin/postgres', ...args),
    logFile: join(instance.logDir, 'postgres.log'),
    stopSignal: 'SIGINT',
    isReady: async () => {
      if (await answers(adminUrl(settings))) return true;
      // A cluster that was just copied still has the seed's password.
      if (!(await answers(seedUrl))) return false;
      const password = settings.secrets.postgresAdmin;
      await withClient(seedUrl, (query) => query(`alter role postgres password '${password}'`));
      return true;
    },
  });
}

function mosquittoService(
  world: Chroot,
  instance: Instance,
  settings: Settings,
  dir: string,
): ManagedService {
  const { mqtt, mqttBound } = settings.ports;
  const home = join(dir, 'mosquitto');
  const listeners = { programs: `${mqttBound} 127.0.0.1`, people: `${mqtt} 127.0.0.1` };
  writeMosquittoConfig(join(home, 'config'), listeners, settings.secrets);
  mkdirSync(join(home, 'data'), { recursive: true, mode: 0o700 });
  world.own(home, 'mosquitto');
  return createService({
    name: 'mosquitto',
    command: world.command('mosquitto', '/usr/sbin/mosquitto', '-c', '/mosquitto/config/mosquitto.conf'),
    logFile: join(instance.logDir, 'mosquitto.log'),
    stopSignal: 'SIGTERM',
    isReady: async () => !(await isPortFree(mqtt)) && !(await isPortFree(mqttBound)),
  });
}
