// What tests get from the test stack: fresh databases, cloned Odoo databases, and services to stop and start.
//
// `npm test` brings the stack up by itself. By hand: `npm run stack -- up --instance test`, then run one file with
// `node_modules/.bin/node --test test/path/name.test.ts`. In embedded mode there is no Odoo and no broker: such tests
// say so with `test('...', { skip: noOdoo() }, ...)`.
// Tests that stop a service (stopOdoo, stopBroker, stopDatabase) or count what comes over the shared broker belong in
// files named `*.fault.test.ts`: those run one at a time after all others, so that they disturb nobody.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { controlService } from '../../scripts/ops/stack/client.ts';
import { databaseVersions, withClient } from '../../scripts/ops/stack/database.ts';
import { readEnvFile } from '../../scripts/ops/stack/env-file.ts';
import { openInstance, readSettings } from '../../scripts/ops/stack/instance.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../scripts/ops/stack/real/odoo-database.ts';
import { odooTemplate } from '../../scripts/ops/stack/real/odoo.ts';
import { baseDatabase } from '../../scripts/ops/stack/real/seed.ts';
import type { EnvValues } from '../../scripts/ops/stack/types.ts';

const instance = openInstance('test');

/**
 * Addresses and secrets of the test stack, as in `.stack/env`, plus ADMIN_DATABASE_URL. Values of things this stack
 * does not have (Odoo in embedded mode) are empty. Throws when the stack has never been up.
 */
export function stackEnv(): EnvValues {
  const values = readEnvFile(instance);
  if (values === undefined)
    throw new Error('the test stack is not up: run npm run stack -- up --instance test');
  // npm test -- --no-odoo
  return process.env['SMART_DAIRY_TEST_NO_ODOO'] === '1' ? { ...values, ODOO_URL: '' } : values;
}

/** False when the test stack has an Odoo, else the reason to skip. */
export const noOdoo = (): string | false =>
  (stackEnv()['ODOO_URL'] ?? '') === '' ? 'no Odoo (embedded mode, or --no-odoo)' : false;

/** False when the test stack has a broker of its own, else the reason to skip. */
export const noBroker = (): string | false =>
  stackEnv()['MQTT_EMBEDDED_PORT'] === undefined ? false : 'no broker (embedded mode)';

export interface TestDatabase {
  /** Connects as the database's owner, who is no superuser unless TEST_DATABASE_URL names one. */
  url: string;
  /** For example `{ PostgreSQL: '17.6', TimescaleDB: '2.19.3 Apache edition' }`; TimescaleDB `none` when it has none. */
  versions: Record<string, string>;
  drop: () => Promise<void>;
}

/**
 * A fresh, empty database on the test stack's server, or on the server of TEST_DATABASE_URL (whose user must be allowed
 * to create databases). It has TimescaleDB when the server has, unless `plain`. Call `drop` in `after`.
 */
export async function createDatabase(options: { plain?: boolean } = {}): Promise<TestDatabase> {
  const foreign = process.env['TEST_DATABASE_URL'];
  const admin = foreign ?? stackEnv()['ADMIN_DATABASE_URL'] ?? '';
  const owner = foreign ?? stackEnv()['DATABASE_URL'] ?? '';
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const on = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await withClient(admin, (query) => query(`create database "${name}" owner "${new URL(owner).username}"`));
  const versions = await withClient(on(admin), async (query) => {
    const extension = await query(`select 1 from pg_available_extensions where name = 'timescaledb'`);
    const wanted = extension.length > 0 && options.plain !== true;
    await query(
      wanted ? 'create extension if not exists timescaledb' : 'drop extension if exists timescaledb',
    );
    return databaseVersions(query);
  });
  const drop = async (): Promise<void> => {
    await withClient(admin, (query) => query(`drop database if exists "${name}" with (force)`));
  };
  return { url: on(owner), versions, drop };
}

export interface TestOdoo {
  url: string;
  db: string;
  /** Key of the integration user. */
  apiKey: string;
  /** The administrator, for looking at what arrived. */
  login: string;
  password: string;
  drop: () => Promise<void>;
}

/** A fresh Odoo database without our addons: base, mail and web alone. Its administrator is admin, with that password. */
export async function plainOdooDatabase(): Promise<TestOdoo> {
  const odoo = await clonedOdoo(baseDatabase);
  return { ...odoo, apiKey: 'admin', login: 'admin', password: 'admin' };
}

/**
 * A fresh Odoo database with both addons, their demo data and the integration user, served by the test stack's Odoo
 * (name it in `X-Odoo-Database` or the call). About a second. Call `drop` in `after`.
 */
export const odooDatabase = (): Promise<TestOdoo> => clonedOdoo(odooTemplate);

/** A copy of such a database as PostgreSQL's own tools make it: with its UUID, its link with the connector and its keys. */
export const copyOfOdoo = (odoo: TestOdoo): Promise<TestOdoo> => clonedOdoo(odoo.db);

async function clonedOdoo(from: string): Promise<TestOdoo> {
  const settings = readSettings(instance);
  if (settings === undefined)
    throw new Error('the test stack is not up: run npm run stack -- up --instance test');
  const env = stackEnv();
  const db = `odoo_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const filestore = join(instance.dir, 'real/odoo/data/filestore');
  await cloneOdooDatabase({ settings, filestore, from, to: db });
  return {
    url: env['ODOO_URL'] ?? '',
    db,
    apiKey: env['ODOO_API_KEY'] ?? '',
    login: env['ODOO_LOGIN'] ?? '',
    password: env['ODOO_PASSWORD'] ?? '',
    drop: () => dropOdooDatabase(settings, filestore, db),
  };
}

/** Each resolves when the service is really gone, or really answers again. Start again in `finally`. */
export const stopOdoo = (): Promise<void> => controlService(instance, 'stop', 'odoo');
export const startOdoo = (): Promise<void> => controlService(instance, 'start', 'odoo');
export const stopBroker = (): Promise<void> => controlService(instance, 'stop', 'mosquitto');
export const startBroker = (): Promise<void> => controlService(instance, 'start', 'mosquitto');
export const stopDatabase = (): Promise<void> => controlService(instance, 'stop', 'postgres');
export const startDatabase = (): Promise<void> => controlService(instance, 'start', 'postgres');
