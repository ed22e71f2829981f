// Odoo's command line in the private root of the test stack: installing, updating, its shell.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runningDaemon } from '../../scripts/ops/stack/client.ts';
import { openInstance, readSettings } from '../../scripts/ops/stack/instance.ts';
import { nextFreePort } from '../../scripts/ops/stack/ports.ts';
import { chrootAt } from '../../scripts/ops/stack/real/chroot.ts';
import { writeOdooConfig } from '../../scripts/ops/stack/real/odoo-config.ts';
import { odooConfigOf } from '../../scripts/ops/stack/real/odoo.ts';
import { rootDir } from '../../scripts/ops/stack/real/root.ts';

/** Calls of `odoo` on one database. */
export interface OdooCommand {
  /** Runs to the end and returns the standard output. Fails with what was said when the log has errors. */
  run: (args: string[], input?: string) => Promise<string>;
  /** Deletes its configuration file. */
  end: () => void;
}

/** Needs the test stack up in real mode. Call `end` afterwards. */
export async function odooCommand(database: string): Promise<OdooCommand> {
  const instance = openInstance('test');
  const settings = readSettings(instance);
  const daemon = runningDaemon(instance);
  if (settings === undefined || daemon === undefined) throw new Error('the test stack is not up');
  const world = chrootAt(join(rootDir(), 'fs'));
  const port = await nextFreePort(settings.ports.odoo + 20);
  const name = `${database}.conf`;
  const file = join(instance.dir, 'real/odoo', name);
  writeOdooConfig(world, file, odooConfigOf(settings, port, database));
  return {
    run(args, input = '') {
      // The name of a subcommand comes before the options.
      const [first = ''] = args;
      const [command, options] = ['shell', 'neutralize'].includes(first)
        ? [[first], args.slice(1)]
        : [[], args];
      const config = ['-c', `/srv/odoo/${name}`, ...(first === 'neutralize' ? [] : ['--no-http'])];
      const [program, ...rest] = world.command('odoo', 'odoo', ...command, ...config, ...options);
      return run(['--target', String(daemon.pid), '--mount', '--pid', '--', program, ...rest], input);
    },
    end: () => rmSync(file, { force: true }),
  };
}

function run(args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/tmp' };
    const child = spawn('nsenter', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    child.once('error', reject);
    child.once('close', (code) => {
      const bad = code !== 0 || /^\S+ \S+ \d+ (ERROR|CRITICAL) /m.test(log) || /^Traceback/m.test(log);
      if (bad)
        reject(new Error(`${args.slice(6).join(' ')}: code ${String(code)}\n${log.slice(-4000)}\n${output}`));
      else resolve(output);
    });
    child.stdin.end(input);
  });
}
