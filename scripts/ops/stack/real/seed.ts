// A prepared PostgreSQL cluster with an Odoo database that has base and mail: made once per root, copied per instance.
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, withClient } from '../database.ts';
import { databaseUrl } from '../env-file.ts';
import { nextFreePort } from '../ports.ts';
import { initdbArgs, postgresArgs } from '../postgres-options.ts';
import { createService } from '../service.ts';
import type { Report } from '../types.ts';
import type { Chroot } from './chroot.ts';
import { writeOdooConfig } from './odoo-config.ts';

/** Name of the database in the seed; never connected to by a server, so that it can be cloned at any time. */
export const baseDatabase = 'odoo_base';

/** The seed's superuser password: replaced by the installation's own at its first start. Empty when there is none. */
export const seedPassword = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Makes `rootDir/seed` when it is missing. */
export async function ensureSeed(world: Chroot, rootDir: string, report: Report): Promise<void> {
  const target = join(rootDir, 'seed');
  if (existsSync(target)) return;
  report('preparing Odoo: base and mail (once, about 30 s)');
  const part = join(rootDir, `seed.part-${randomBytes(4).toString('hex')}`);
  mkdirSync(part, { recursive: true, mode: 0o711 });
  const place = join(world.root, 'srv/seed');
  execFileSync('mount', ['--bind', part, place]);
  try {
    await fill(world, part);
  } finally {
    execFileSync('umount', [place]);
  }
  // Another instance may have been faster: its seed is as good.
  if (existsSync(target)) rmSync(part, { recursive: true });
  else renameSync(part, target);
}

async function fill(world: Chroot, part: string): Promise<void> {
  world.own(join(part, 'postgres'), 'postgres');
  world.own(join(part, 'odoo'), 'odoo');
  const password = randomBytes(24).toString('base64url');
  writeFileSync(join(part, 'password'), password, { mode: 0o600 });
  // /tmp is a small file system that only this namespace sees.
  writeFileSync(join(world.root, 'tmp/seed-password'), password);
  await world.run('postgres', [
    '/usr/lib/postgresql/17/bin/initdb',
    ...initdbArgs('/srv/seed/postgres', '/tmp/seed-password'),
  ]);

  const port = await nextFreePort(35_432);
  const url = databaseUrl('postgres', password, port, 'postgres');
  const server = createService({
    name: 'postgres (seed)',
    // As in a test: the seed counts only when it is complete.
    command: world.command(
      'postgres',
      '/usr/lib/postgresql/17/bin/postgres',
      ...postgresArgs('/srv/seed/postgres', port, 'test', { shared_preload_libraries: 'timescaledb' }),
    ),
    logFile: join(part, 'postgres.log'),
    stopSignal: 'SIGINT',
    isReady: () => answers(url),
  });
  await server.start();
  try {
    await withClient(url, async (query) => {
      await query(`create role odoo login password '${password}'`);
      await query(`create database ${baseDatabase} owner odoo`);
    });
    writeOdooConfig(world, join(world.root, 'tmp/seed.conf'), {
      dataDir: '/srv/seed/odoo',
      databasePort: port,
      databasePassword: password,
      masterPassword: randomBytes(24).toString('base64url'),
    });
    await world.run('odoo', [
      'odoo',
      '-c',
      '/tmp/seed.conf',
      '-d',
      baseDatabase,
      '-i',
      'base,mail,web',
      '--stop-after-init',
    ]);
  } finally {
    await server.stop();
  }
}
