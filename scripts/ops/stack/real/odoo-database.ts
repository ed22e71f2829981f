// Clones and drops Odoo databases together with their filestore.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminUrl, withClient } from '../database.ts';
import type { Settings } from '../types.ts';

interface Clone {
  settings: Settings;
  /** Folder with one folder per database, as the machine sees it. */
  filestore: string;
  from: string;
  to: string;
}

/** Makes `to` a copy of `from`, in place of any former one. Nobody may stay connected to `from`. */
export async function cloneOdooDatabase({ settings, filestore, from, to }: Clone): Promise<void> {
  await dropOdooDatabase(settings, filestore, to);
  // A plain file copy is several times faster than going through the log.
  const sql = `create database "${to}" template "${from}" owner odoo strategy file_copy`;
  await withClient(adminUrl(settings), async (query) => {
    const allowConnections = (allowed: boolean) =>
      query(`alter database "${from}" allow_connections ${allowed}`);
    const disconnect = async () => {
      await allowConnections(false);
      await query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [from]);
    };
    try {
      await onceUnused(() => query(sql), disconnect);
    } finally {
      await allowConnections(true);
    }
  });
  const source = join(filestore, from);
  if (existsSync(source)) execFileSync('cp', ['-a', '--reflink=auto', source, join(filestore, to)]);
}

const unusedTimeoutMs = 60_000;

/** TimescaleDB's scheduler looks into every database, which forbids cloning just then: sends it away, keeps it out, tries again. */
export async function onceUnused<T>(work: () => Promise<T>, disconnect: () => Promise<unknown>): Promise<T> {
  const deadline = Date.now() + unusedTimeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isInUse = (error as { code?: unknown }).code === '55006';
      if (!isInUse || Date.now() > deadline) throw error;
      await disconnect();
      await sleep(200);
    }
  }
}

/** Drops a database, whoever is connected to it, with its files. Nothing happens when there is none. */
export async function dropOdooDatabase(settings: Settings, filestore: string, name: string): Promise<void> {
  await withClient(adminUrl(settings), (query) => query(`drop database if exists "${name}" with (force)`));
  rmSync(join(filestore, name), { recursive: true, force: true });
}
