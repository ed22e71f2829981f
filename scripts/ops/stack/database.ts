// Sets roles and databases up in a fresh or known PostgreSQL; can be run again and again.
import pg from 'pg';
import { databaseName, databaseUrl } from './env-file.ts';
import type { Settings } from './types.ts';

export type Query = (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

/** Runs `work` on one connection and closes it. */
export async function withClient<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(async (sql, values) => (await client.query<Record<string, unknown>>(sql, values)).rows);
  } finally {
    await client.end();
  }
}

/** True when the server takes connections with this URL. */
export async function answers(url: string): Promise<boolean> {
  try {
    await withClient(url, (query) => query('select 1'));
    return true;
  } catch {
    return false;
  }
}

/** URL of the superuser, for set-up and for tests that make databases of their own. */
export const adminUrl = ({ ports, secrets }: Settings, database = 'postgres'): string =>
  databaseUrl('postgres', secrets.postgresAdmin, ports.postgres, database);

// Names and secrets are ours (letters, digits, - and _), so plain quotes are enough.
async function ensureRole(query: Query, role: string, password: string): Promise<void> {
  const known = await query('select 1 from pg_roles where rolname = $1', [role]);
  if (known.length === 0) await query(`create role "${role}" login`);
  await query(`alter role "${role}" password '${password}'`);
}

export async function databaseExists(query: Query, name: string): Promise<boolean> {
  return (await query('select 1 from pg_database where datname = $1', [name])).length > 0;
}

/** Roles for connector and Odoo, the connector's database, TimescaleDB in it where the server has it. Returns versions. */
export async function setUpDatabase(settings: Settings): Promise<Record<string, string>> {
  const { secrets } = settings;
  await withClient(adminUrl(settings), async (query) => {
    await ensureRole(query, databaseName, secrets.postgres);
    await ensureRole(query, 'odoo', secrets.postgresOdoo);
    if (await databaseExists(query, databaseName)) return;
    await query(`create database "${databaseName}" owner "${databaseName}"`);
  });
  return withClient(adminUrl(settings, databaseName), async (query) => {
    const available = await query(`select 1 from pg_available_extensions where name = 'timescaledb'`);
    if (available.length > 0) await query('create extension if not exists timescaledb');
    return databaseVersions(query);
  });
}

/** A role that may read the connector's tables, those to come included, for dashboards. */
export async function setUpReader(settings: Settings, role: string, password: string): Promise<void> {
  await withClient(adminUrl(settings, databaseName), async (query) => {
    await ensureRole(query, role, password);
    await query(`create schema if not exists iot authorization "${databaseName}"`);
    await query(`grant usage on schema iot to "${role}"`);
    await query(`grant select on all tables in schema iot to "${role}"`);
    await query(
      `alter default privileges for role "${databaseName}" in schema iot grant select on tables to "${role}"`,
    );
  });
}

/** Names and versions of the server and, if the database has it, TimescaleDB with its edition. */
export async function databaseVersions(query: Query): Promise<Record<string, string>> {
  const [server] = await query(`select split_part(current_setting('server_version'), ' ', 1) as version`);
  const [timescale] = await query(
    `select extversion as version, current_setting('timescaledb.license', true) as license
       from pg_extension where extname = 'timescaledb'`,
  );
  const edition = timescale?.['license'] === 'timescale' ? 'Community' : 'Apache edition';
  return {
    PostgreSQL: String(server?.['version']),
    TimescaleDB: timescale === undefined ? 'none' : `${String(timescale['version'])} ${edition}`,
  };
}
