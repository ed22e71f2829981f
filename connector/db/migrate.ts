// Runs the numbered SQL files of timescale/ forward, once each, under an advisory lock.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { inTransaction, type Db, type PoolClient } from './pool.ts';

const folder = join(import.meta.dirname, '../../timescale');

/**
 * Brings the database to this version's schema; returns its edition (`community`, `apache`, `plain`).
 * `wanted: 'plain'` does without the extension even where the server has it.
 * Throws AppError `invalid` when an already applied file was changed.
 */
export async function migrate(db: Db, logger: Logger, wanted: 'auto' | 'plain' = 'auto'): Promise<string> {
  return inTransaction(db, async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('smart-dairy migrations'))`);
    if (wanted === 'auto') await createExtension(client, logger);
    await client.query(`CREATE TABLE IF NOT EXISTS public.smart_dairy_migration (
      name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const { rows } = await client.query<{ name: string; digest: string }>(
      'SELECT name, digest FROM public.smart_dairy_migration',
    );
    const applied = new Map(rows.map((row) => [row.name, row.digest]));
    for (const name of readdirSync(folder)
      .filter((entry) => entry.endsWith('.sql'))
      .toSorted()) {
      const sql = readFileSync(join(folder, name), 'utf8');
      const digest = createHash('sha256').update(sql).digest('hex');
      const known = applied.get(name);
      if (known === digest) continue;
      if (known !== undefined) {
        throw new AppError(
          'invalid',
          `timescale/${name} was changed after it ran on this database; add a new file instead`,
        );
      }
      logger.info({ migration: name }, 'migrating');
      await client.query(sql);
      await client.query('INSERT INTO public.smart_dairy_migration (name, digest) VALUES ($1, $2)', [
        name,
        digest,
      ]);
    }
    const edition = await client.query<{ edition: string }>('SELECT iot.edition() AS edition');
    return edition.rows[0]?.edition ?? 'plain';
  });
}

/** Uses TimescaleDB where the server offers it and this role may create it; plain PostgreSQL does as well. */
async function createExtension(client: PoolClient, logger: Logger): Promise<void> {
  // Creating it without the preloaded library ends the session. An ordinary role may not read shared_preload_libraries,
  // but it sees the settings that the library brings.
  const { rows } = await client.query(`SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'
    AND installed_version IS NULL AND current_setting('timescaledb.disable_load', true) IS NOT NULL`);
  if (rows.length === 0) return;
  await client.query('SAVEPOINT extension');
  try {
    await client.query('CREATE EXTENSION timescaledb');
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT extension');
    logger.warn(
      { error: String(error) },
      'timescaledb is there but this role may not create it; using plain PostgreSQL',
    );
  }
}
