// The grip on the services of an instance: their processes, a small disk for the database, a fresh Odoo database.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, withClient } from '../../ops/stack/database.ts';
import { rootDir } from '../../ops/stack/real/root.ts';

const run = promisify(execFile);

/** Programs of the stack that can be killed or frozen. */
export type Service = 'postgres' | 'mosquitto' | 'odoo';

/** Pid of a service's main process, a child of the stack's daemon; undefined while it does not run. */
export function pidOf(daemonPid: number, service: Service): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent !== daemonPid) continue;
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      if (words.some((word) => word.endsWith(`bin/${service}`))) return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

/** Sends a signal to a service. Waits for the service when it does not run. */
export async function signalService(
  daemonPid: number,
  service: Service,
  signal: NodeJS.Signals,
): Promise<void> {
  let pid = pidOf(daemonPid, service);
  for (; pid === undefined; pid = pidOf(daemonPid, service)) await sleep(100);
  process.kill(pid, signal);
}

/** A database whose files lie on a small file system of their own, which can be filled to the last byte. */
export interface SmallDatabase {
  name: string;
  fill: () => Promise<void>;
  empty: () => Promise<void>;
  refuse: () => Promise<void>;
  admit: () => Promise<void>;
  drop: () => Promise<void>;
}

const megabytes = 400;

/** Mounts a tmpfs in the stack's own mount namespace and puts a new database on it, with TimescaleDB. */
export async function createSmallDatabase(
  daemonPid: number,
  instanceDir: string,
  env: Readonly<Record<string, string>>,
): Promise<SmallDatabase> {
  const admin = env['ADMIN_DATABASE_URL'] ?? '';
  const name = `chaos_${process.pid}`;
  const host = join(instanceDir, 'real/postgres', name);
  mkdirSync(host, { mode: 0o700 });
  const place = join(rootDir(), 'fs/srv/postgres', name);
  const inside = (...command: string[]) =>
    run('nsenter', ['--target', String(daemonPid), '--mount', '--', ...command]);
  const { uid, gid } = statSync(join(instanceDir, 'real/postgres/data'));
  await inside(
    'mount',
    '-t',
    'tmpfs',
    '-o',
    `size=${megabytes}m,mode=700,uid=${uid},gid=${gid}`,
    'tmpfs',
    place,
  );
  const filler = join(place, 'filler');
  const owner = new URL(env['DATABASE_URL'] ?? '').username;
  await withClient(admin, async (query) => {
    await query(`create tablespace ${name} owner "${owner}" location '/srv/postgres/${name}'`);
    await query(`create database ${name} owner "${owner}" tablespace ${name}`);
  });
  const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href;
  await withClient(url, (query) => query('create extension if not exists timescaledb'));
  const patiently = async (sql: readonly string[]): Promise<void> => {
    while (!(await answers(admin))) await sleep(200);
    await withClient(admin, async (query) => {
      for (const text of sql) await query(text);
    });
  };
  return {
    name,
    async fill() {
      // Ends with "no space left", which is what is wanted.
      await inside('dd', 'if=/dev/zero', `of=${filler}`, 'bs=64k').catch(() => undefined);
    },
    async empty() {
      await inside('rm', '-f', filler);
    },
    refuse: () =>
      patiently([
        `alter database ${name} with allow_connections false`,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
      ]),
    admit: () => patiently([`alter database ${name} with allow_connections true`]),
    async drop() {
      await patiently([`drop database if exists ${name} with (force)`, `drop tablespace ${name}`]);
      await inside('umount', place);
      rmdirSync(host);
    },
  };
}
