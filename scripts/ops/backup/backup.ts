// Backup into one file while everything runs, and restore of it into a new database.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { withClient } from '../stack/database.ts';
import { runTool } from './tools.ts';

/** Writes a consistent copy of the database into `file`, complete or not at all. Returns its size in bytes. */
export async function backUp(url: string, file: string): Promise<number> {
  if (existsSync(file)) throw new Error(`${file} is there already: choose another name, or delete it`);
  const part = `${file}.part`;
  try {
    await runTool('pg_dump', url, ['--format=custom', '--compress=6'], { to: part });
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  renameSync(part, file);
  return statSync(file).size;
}

/**
 * Restores a backup into the new database `name`. `adminUrl` is a superuser's: TimescaleDB's own tables belong to it.
 * The roles of the backup have to be there. Returns the new database's address for the superuser.
 */
export async function restore(adminUrl: string, name: string, file: string): Promise<string> {
  if (!existsSync(file)) throw new Error(`there is no file ${file}`);
  if (!/^[a-z][a-z0-9_]*$/.test(name))
    throw new Error(`${name} cannot be the database's name: use small letters, digits and _`);
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const hasTimescale = await withClient(adminUrl, async (query) => {
    const known = await query('select 1 from pg_database where datname = $1', [name]);
    if (known.length > 0)
      throw new Error(`the database ${name} is there already: restore into another one, or drop it`);
    await query(`create database ${name} template template0`);
    return (await query(`select 1 from pg_available_extensions where name = 'timescaledb'`)).length > 0;
  });
  try {
    await fill(url, file, hasTimescale);
  } catch (error) {
    await withClient(adminUrl, (query) => query(`drop database if exists ${name} with (force)`));
    throw error;
  }
  return url;
}

async function fill(url: string, file: string, hasTimescale: boolean): Promise<void> {
  // TimescaleDB has to hold still while its own tables are filled.
  if (hasTimescale)
    await withClient(url, async (query) => {
      await query('create extension if not exists timescaledb');
      await query('select timescaledb_pre_restore()');
    });
  await runTool('pg_restore', url, [], { from: file });
  if (hasTimescale) await withClient(url, (query) => query('select timescaledb_post_restore()'));
  await withClient(url, async (query) => {
    const [owner] = await query(
      `select pg_get_userbyid(nspowner) as name, current_database() as db from pg_namespace where nspname = 'iot'`,
    );
    if (owner === undefined) throw new Error(`${file} is no backup of this product: it has no schema iot`);
    const { name, db } = owner as { name: string; db: string };
    await query(`alter database "${db}" owner to "${name}"`);
    const [extension] = await query(
      `select not exists (select from pg_tables where schemaname = '_timescaledb_catalog') as plain`,
    );
    if (extension?.['plain'] === true) return;
    // A backup of plain PostgreSQL stays plain: its tables are none of TimescaleDB's.
    const used = await query('select 1 from _timescaledb_catalog.hypertable limit 1');
    if (used.length === 0) await query('drop extension timescaledb cascade');
    await query('analyze');
  });
}
