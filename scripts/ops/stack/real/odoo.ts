// Odoo in the private root: databases with our addons, the integration user's key, and the server itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminUrl, withClient } from '../database.ts';
import { writeSettings } from '../instance.ts';
import { createService } from '../service.ts';
import { forgetRenewedKey, writeOdooLink } from '../odoo-link.ts';
import type { EnvValues, Instance, ManagedService, Report, Settings } from '../types.ts';
import { addonNames, hashAddons, addonsDir } from './addons.ts';
import type { Chroot } from './chroot.ts';
import { writeOdooConfig, type OdooConfig } from './odoo-config.ts';
import { cloneOdooDatabase, dropOdooDatabase } from './odoo-database.ts';
import { baseDatabase } from './seed.ts';

/** The database that the server of an instance shows. */
export const odooDatabase = 'odoo';
/** In the test instance: the pristine database with our addons, which every test clones. */
export const odooTemplate = 'odoo_template';

/**
 * Installs our addons with their demo data and the integration user into the instance's database, or updates them when
 * their files have changed. Returns the settings with the integration user's key.
 */
export async function installOdoo(
  world: Chroot,
  instance: Instance,
  settings: Settings,
  report: Report,
): Promise<Settings> {
  const hash = hashAddons();
  const isCurrent = settings.addonsHash === hash;
  const connectorUrl = `http://127.0.0.1:${settings.ports.connector}`;
  if (isCurrent && instance.name === 'demo') {
    await writeOdooLink(settings, odooDatabase, connectorUrl);
    return settings;
  }

  const name = instance.name !== 'demo' ? odooTemplate : odooDatabase;
  const filestore = join(instance.dir, 'real/odoo/data/filestore');
  let installed = settings;
  if (!isCurrent) {
    const isUpdate = instance.name === 'demo' && settings.addonsHash !== undefined;
    report(
      isUpdate ? 'updating the addons in Odoo: their files have changed' : 'installing the addons in Odoo',
    );
    if (!isUpdate) {
      await cloneOdooDatabase({ settings, filestore, from: baseDatabase, to: name });
      await wantDemoData(settings, name);
    }
    const config = writeConfig(world, settings, 'tmp/odoo-setup.conf', name);
    const how = isUpdate ? '-u' : '-i';
    await world.run('odoo', [
      'odoo',
      '-c',
      config,
      how,
      addonNames().join(','),
      '--no-http',
      '--stop-after-init',
    ]);
    report('making the integration user and its key');
    installed = {
      ...settings,
      addonsHash: hash,
      odooApiKey: await bootstrap(world, config, bootstrapEnv(instance.name, settings)),
    };
    forgetRenewedKey(instance);
  }
  if (instance.name === 'demo') await writeOdooLink(settings, odooDatabase, connectorUrl);
  else {
    await dropOdooDatabase(settings, filestore, odooDatabase);
    await cloneOdooDatabase({ settings, filestore, from: odooTemplate, to: odooDatabase });
  }
  writeSettings(instance, installed);
  return installed;
}

/**
 * Odoo loads a module's demo data only when all it depends on has some. Ours is wanted; Odoo's own, with its well-known
 * user and password, is not.
 */
export async function wantDemoData(settings: Settings, database: string): Promise<void> {
  const sql = `update ir_module_module set demo = true where state = 'installed'`;
  await withClient(adminUrl(settings, database), (query) => query(sql));
}

/** What bootstrap.py is told: the demo gets the simulator's devices and a month of milkings, a test nothing that it did not make. */
export const bootstrapEnv = (instanceName: string, { secrets }: Settings): EnvValues => ({
  ODOO_ADMIN_PASSWORD: secrets.odooAdmin,
  ...(instanceName === 'demo' ? { SMART_DAIRY_DEMO_DAYS: String(demoDays) } : {}),
});

const demoDays = 30;

/** Runs the addons' documented bootstrap step in Odoo's own shell. Returns the integration user's key. */
async function bootstrap(world: Chroot, config: string, env: EnvValues): Promise<string> {
  const output = await world.run('odoo', ['odoo', 'shell', '-c', config, '--no-http'], {
    input: readFileSync(join(addonsDir, 'bootstrap.py'), 'utf8'),
    env,
  });
  return readApiKey(output);
}

/** The key in what bootstrap.py printed. Throws when there is none. */
export function readApiKey(output: string): string {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{'));
  const key = line === undefined ? undefined : (JSON.parse(line) as { api_key?: string }).api_key;
  if (key === undefined) throw new Error(`odoo-addon-bridge/bootstrap.py printed no api_key but: ${output}`);
  return key;
}

/** Odoo's configuration in an instance of the private root. */
export const odooConfigOf = (
  settings: Settings,
  httpPort: number,
  database: string | undefined,
): OdooConfig => ({
  dataDir: '/srv/odoo/data',
  databasePort: settings.ports.postgres,
  databasePassword: settings.secrets.postgresOdoo,
  masterPassword: settings.secrets.odooMaster,
  httpPort,
  ...(database === undefined ? {} : { database }),
});

function writeConfig(world: Chroot, settings: Settings, place: string, database: string | undefined): string {
  writeOdooConfig(world, join(world.root, place), odooConfigOf(settings, settings.ports.odoo, database));
  return `/${place}`;
}

/** Odoo's server. In the test instance it serves every database, the one in `ODOO_DB` and the tests' clones. */
export function odooService(world: Chroot, instance: Instance, settings: Settings): ManagedService {
  const config = writeConfig(
    world,
    settings,
    'run/odoo.conf',
    instance.name === 'demo' ? odooDatabase : undefined,
  );
  const health = `http://127.0.0.1:${settings.ports.odoo}/web/health`;
  return createService({
    name: 'odoo',
    command: world.command('odoo', '/usr/bin/odoo', '-c', config),
    env: { HOME: '/tmp' },
    logFile: join(instance.logDir, 'odoo.log'),
    stopSignal: 'SIGTERM',
    isReady: () =>
      fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        () => false,
      ),
  });
}

export function odooEnv(settings: Settings): EnvValues {
  return {
    ODOO_URL: `http://127.0.0.1:${settings.ports.odoo}`,
    ODOO_DB: odooDatabase,
    ODOO_LOGIN: 'admin',
    ODOO_PASSWORD: settings.secrets.odooAdmin,
    ODOO_API_KEY: settings.odooApiKey ?? '',
  };
}
