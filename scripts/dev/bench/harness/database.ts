// A database of its own for each benchmark, and the reference: `psql \copy` of the rows that the product has written.
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { randomBytes } from 'node:crypto';
import { databaseVersions, withClient } from '../../../ops/stack/database.ts';
import { chrootAt } from '../../../ops/stack/real/chroot.ts';
import { rootDir } from '../../../ops/stack/real/root.ts';
import type { BenchContext } from './bench.ts';

/** A fresh database with TimescaleDB where the server has it. */
export interface BenchDatabase {
  url: string;
  versions: Record<string, string>;
  drop: () => Promise<void>;
}

/** Makes a database that the connector's role owns. */
export async function createBenchDatabase({ env }: BenchContext): Promise<BenchDatabase> {
  const admin = env['ADMIN_DATABASE_URL'] ?? '';
  const owner = env['DATABASE_URL'] ?? '';
  const name = `bench_${process.pid}_${randomBytes(3).toString('hex')}`;
  const on = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await withClient(admin, (query) => query(`create database "${name}" owner "${new URL(owner).username}"`));
  const versions = await withClient(on(admin), async (query) => {
    const known = await query(`select 1 from pg_available_extensions where name = 'timescaledb'`);
    if (known.length > 0) await query('create extension if not exists timescaledb');
    return databaseVersions(query);
  });
  const drop = async () => {
    await withClient(admin, (query) => query(`drop database if exists "${name}" with (force)`));
  };
  return { url: on(owner), versions, drop };
}

/** The psql of the stack's root, run in the stack's namespaces; in embedded mode the machine's own. */
function psql(context: BenchContext, url: string, command: string): string[] {
  const options = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--command=${command}`, url];
  if (context.mode === 'embedded') return ['psql', ...options];
  const world = chrootAt(join(rootDir(), 'fs'));
  const inRoot = world.command('postgres', '/usr/lib/postgresql/17/bin/psql', ...options);
  return ['nsenter', '--target', String(context.daemonPid), '--mount', '--pid', '--', ...inRoot];
}

async function runPsql(
  context: BenchContext,
  url: string,
  command: string,
  files: { from?: string; to?: string },
): Promise<void> {
  const [program = '', ...args] = psql(context, url, command);
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (files.to === undefined) child.stdout.resume();
  await Promise.all([
    files.from === undefined
      ? child.stdin.end()
      : pipeline(createReadStream(files.from, { highWaterMark: 1 << 20 }), child.stdin),
    files.to === undefined ? undefined : pipeline(child.stdout, createWriteStream(files.to)),
  ]);
  const code = await ended;
  if (code !== 0) throw new Error(`psql ended with ${String(code)}: ${command}`);
}

const columns = '(time, device_id, metric_id, value, quality)';

/**
 * Takes the rows out of iot.reading and brings them back with `psql \copy`: the same rows into the same, now empty,
 * table. At most `limit` rows. Returns rows per second, the best of two.
 */
export async function copyReference(
  context: BenchContext,
  url: string,
  limit = 1_000_000,
): Promise<{ rowsPerS: number; rows: number }> {
  const folder = join(context.dir, 'bench');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'rows.tsv');
  context.report('reference: psql \\copy of the same rows');
  const select = `select time, device_id, metric_id, value, quality from iot.reading limit ${limit}`;
  await runPsql(context, url, `\\copy (${select}) to pstdout`, { to: file });
  let best = Infinity;
  let rows = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    await withClient(url, (query) => query('truncate iot.reading'));
    const startedAt = performance.now();
    await runPsql(context, url, `\\copy iot.reading ${columns} from pstdin`, { from: file });
    best = Math.min(best, performance.now() - startedAt);
    rows = await withClient(url, async (query) =>
      Number((await query('select count(*) as n from iot.reading'))[0]?.['n']),
    );
  }
  if (statSync(file).size > 0) rmSync(file);
  return { rowsPerS: (rows / best) * 1000, rows };
}
