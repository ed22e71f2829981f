// A database of Odoo's own for a benchmark, and Odoo's shell on it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { nextFreePort } from '../../../ops/stack/ports.ts';
import { chrootAt } from '../../../ops/stack/real/chroot.ts';
import { writeOdooConfig } from '../../../ops/stack/real/odoo-config.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../../ops/stack/real/odoo-database.ts';
import { odooConfigOf, odooTemplate } from '../../../ops/stack/real/odoo.ts';
import { rootDir } from '../../../ops/stack/real/root.ts';
import type { BenchContext } from './bench.ts';

/** An Odoo database with the addons, served by the bench stack's Odoo. */
export interface BenchOdoo {
  url: string;
  db: string;
  apiKey: string;
  /** Runs Python in `odoo shell` on this database; returns what it printed. Throws when it fails. */
  shell: (script: string) => Promise<string>;
  drop: () => Promise<void>;
}

/** Clones the prepared database. Throws in embedded mode, which has no Odoo. */
export async function benchOdoo(context: BenchContext): Promise<BenchOdoo> {
  const { env, settings, dir, daemonPid } = context;
  if (context.mode !== 'real')
    throw new Error('this benchmark needs an Odoo: run it as root on Debian or Ubuntu');
  context.report('cloning an Odoo database');
  const db = `odoo_bench_${process.pid}_${randomBytes(3).toString('hex')}`;
  const filestore = join(dir, 'real/odoo/data/filestore');
  await cloneOdooDatabase({ settings, filestore, from: odooTemplate, to: db });
  return {
    url: env['ODOO_URL'] ?? '',
    db,
    apiKey: env['ODOO_API_KEY'] ?? '',
    async shell(script) {
      const world = chrootAt(join(rootDir(), 'fs'));
      const httpPort = await nextFreePort(settings.ports.odoo + 1);
      writeOdooConfig(world, join(dir, 'real/odoo/bench.conf'), odooConfigOf(settings, httpPort, db));
      const odoo = ['odoo', 'shell', '-c', '/srv/odoo/bench.conf', '-d', db, '--no-http'] as const;
      const command = world.command('odoo', ...odoo);
      const child = spawn('nsenter', ['--target', String(daemonPid), '--mount', '--pid', '--', ...command], {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/tmp' },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child.stdin.end(script);
      const [output, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
      if (/^Traceback/m.test(problems)) throw new Error(`odoo shell failed: ${problems.slice(-2_000)}`);
      return output;
    },
    drop: () => dropOdooDatabase(settings, filestore, db),
  };
}
