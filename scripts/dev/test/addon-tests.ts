// Runs the addons' own tests inside the real Odoo of the test stack, in a fresh database with demo data.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningDaemon } from '../../ops/stack/client.ts';
import { readSettings } from '../../ops/stack/instance.ts';
import { nextFreePort } from '../../ops/stack/ports.ts';
import { addonNames } from '../../ops/stack/real/addons.ts';
import { chrootAt } from '../../ops/stack/real/chroot.ts';
import { writeOdooConfig } from '../../ops/stack/real/odoo-config.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../ops/stack/real/odoo-database.ts';
import { odooConfigOf, wantDemoData } from '../../ops/stack/real/odoo.ts';
import { rootDir } from '../../ops/stack/real/root.ts';
import { baseDatabase } from '../../ops/stack/real/seed.ts';
import type { Instance } from '../../ops/stack/types.ts';
import { fetchCoverage, runCovered } from './addon-coverage.ts';
import { noCounts, type Counts } from './node-tests.ts';

const database = 'odoo_addon_tests';
/** Only ends what hangs for ever; counting what runs takes its time too. */
const timeoutMs = 20 * 60_000;
const coverageTimeoutMs = 60 * 60_000;

/**
 * Needs the test stack up in real mode. Zero tests count as a failure. The whole output goes to `addon-tests.log`, what ran
 * of the addons to `coverageFile`.
 */
export async function runAddonTests(
  instance: Instance,
  coverageFile?: string,
): Promise<Counts & { logFile: string }> {
  const settings = readSettings(instance);
  const daemon = runningDaemon(instance);
  if (settings === undefined || daemon === undefined) throw new Error('the test stack is not up');
  // Now, as a port that is free does not stay so for long.
  const unpacked = coverageFile === undefined ? '' : await fetchCoverage();
  const filestore = join(instance.dir, 'real/odoo/data/filestore');
  await cloneOdooDatabase({ settings, filestore, from: baseDatabase, to: database });
  await wantDemoData(settings, database);
  const world = chrootAt(join(rootDir(), 'fs'));
  const httpPort = await nextFreePort(settings.ports.odoo + 1);
  const config = join(instance.dir, 'real/odoo/addon-tests.conf');
  writeOdooConfig(world, config, odooConfigOf(settings, httpPort, database));

  const names = addonNames();
  const tags = names.map((name) => `/${name}`).join(',');
  const odoo: [string, ...string[]] = [
    '/usr/bin/odoo',
    '-c',
    '/srv/odoo/addon-tests.conf',
    '-i',
    names.join(','),
    '--test-tags',
    tags,
    '--stop-after-init',
  ];
  const limitMs = coverageFile === undefined ? timeoutMs : coverageTimeoutMs;
  const logFile = join(instance.logDir, 'addon-tests.log');
  const run = (command: [string, ...string[]], log = logFile, env = {}): Promise<number | null> =>
    runInStack(daemon.pid, world.command('odoo', ...command), log, env, limitMs);
  const home = join(instance.dir, 'real/odoo');
  const code =
    coverageFile === undefined
      ? await run(odoo)
      : await runCovered(odoo, { unpacked, world, home, names, file: coverageFile, logFile, run });
  await dropOdooDatabase(settings, filestore, database);
  return { ...readResult(readFileSync(logFile, 'utf8'), code), logFile };
}

/** Runs a command in the namespaces of the stack's daemon, so that it sees its mounts and dies with it. */
function runInStack(
  daemonPid: number,
  command: string[],
  logFile: string,
  more: Record<string, string>,
  limitMs: number,
): Promise<number | null> {
  const log = openSync(logFile, 'w', 0o600);
  const env = { ...more, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/tmp' };
  const child = spawn('nsenter', ['--target', String(daemonPid), '--mount', '--pid', '--', ...command], {
    stdio: ['ignore', log, log],
    env,
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  closeSync(log);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
}

/** Reads Odoo's own closing line; an end without one, or a code other than 0, is at least one failure. */
export function readResult(log: string, exitCode: number | null): Counts {
  const counts = noCounts();
  const results = [...log.matchAll(/(\d+) failed, (\d+) error\(s\) of (\d+) tests/g)];
  const [, failures = '0', errors = '0', tests = '0'] = results.at(-1) ?? [];
  counts.failed = Number(failures) + Number(errors);
  counts.skipped = log.match(/: skipped .* : /g)?.length ?? 0;
  counts.passed = Math.max(0, Number(tests) - counts.failed - counts.skipped);
  if (counts.failed === 0 && (exitCode !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}
