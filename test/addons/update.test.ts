// A customer's update: the addons of an earlier commit with data, updated to these; and an uninstall that leaves nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runningDaemon } from '../../scripts/stack/client.ts';
import { openInstance, readSettings, repoDir } from '../../scripts/stack/instance.ts';
import { nextFreePort } from '../../scripts/stack/ports.ts';
import { addonNames } from '../../scripts/stack/real/addons.ts';
import { chrootAt } from '../../scripts/stack/real/chroot.ts';
import { writeOdooConfig } from '../../scripts/stack/real/odoo-config.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../scripts/stack/real/odoo-database.ts';
import { odooConfigOf, wantDemoData } from '../../scripts/stack/real/odoo.ts';
import { rootDir } from '../../scripts/stack/real/root.ts';
import { baseDatabase } from '../../scripts/stack/real/seed.ts';

const folder = 'odoo-addon-bridge';
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repoDir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
const versionIn = (manifest: string): string => /'version': '([^']+)'/.exec(manifest)?.[1] ?? '';

/** The newest commit with another version of smart_dairy_iot than this tree; undefined without a history. */
function earlierCommit(): string | undefined {
  const manifest = `${folder}/smart_dairy_iot/__manifest__.py`;
  const here = versionIn(readFileSync(join(repoDir, manifest), 'utf8'));
  try {
    const commits = git('log', '--format=%H', '--', manifest).split('\n').filter(Boolean);
    return commits.find((commit) => versionIn(git('show', `${commit}:${manifest}`)) !== here);
  } catch {
    return undefined;
  }
}

/** Records as the connector sends them; prints nothing. */
const fill = `
Session = env['iot.milk.session']
records = [{'source': 'smart_dairy', 'source_id': f'upd/m1/{n}', 'revision': 1, 'farm': 'upd', 'device_uid': 'm1',
            'device_type': 'milk_meter', 'start_datetime': '2026-05-01 04:00:00', 'yield_kg': 10 + n} for n in range(20)]
assert {a['status'] for a in Session.upsert_batch(records)} == {'created'}
env['iot.device'].search([('device_uid', '=', 'm1')]).write({'name': 'Left row', 'state': 'active'})
env.cr.commit()
`;
const check = `
sessions = env['iot.milk.session'].search([('source_id', '=like', 'upd/%')])
device = sessions.device_id
again = env['iot.milk.session'].upsert_batch([{'source': 'smart_dairy', 'source_id': 'upd/m1/1', 'revision': 1, 'farm': 'upd',
    'start_datetime': '2026-05-01 04:00:00'}])[0]['status']
env['iot.device.calibration'].create({'device_id': device.id, 'result': 'pass'})
broken = [v.name for v in env['ir.ui.view'].search([('model', '=like', 'iot.%')]) if not v.arch]
print('@', len(sessions), sum(sessions.mapped('yield_kg')), device.name, device.state, again, broken)
`;
const uninstall = `
env['ir.module.module'].search([('name', 'in', ('smart_dairy_farm', 'smart_dairy_iot'))]).button_immediate_uninstall()
env.cr.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND (tablename LIKE 'farm\\\\_%' OR tablename LIKE 'iot\\\\_%') ORDER BY 1")
tables = [row[0] for row in env.cr.fetchall()]
env.cr.execute("SELECT count(*) FROM ir_model_data WHERE module LIKE 'smart\\\\_dairy%'")
names = env.cr.fetchone()[0]
env.cr.execute("SELECT count(*) FROM ir_cron c JOIN ir_act_server a ON a.id = c.ir_actions_server_id WHERE a.name::text LIKE '%Smart Dairy%'")
print('@', tables, names, env.cr.fetchone()[0])
`;

test(
  'an update keeps the data, an uninstall leaves nothing',
  { timeout: 300_000 },
  async (t: TestContext) => {
    const instance = openInstance('test');
    const settings = readSettings(instance);
    const daemon = runningDaemon(instance);
    if (process.env['SMART_DAIRY_TEST_NO_ODOO'] === '1') return t.skip('no Odoo wanted');
    if (settings === undefined || daemon?.mode !== 'real')
      return t.skip('needs the real Odoo of the test stack');
    const commit = earlierCommit();
    if (commit === undefined) return t.skip('needs the git history of the repository');

    const home = join(instance.dir, 'real/odoo');
    const old = join(home, 'old-addons');
    const unpacked = join(instance.dir, 'old-addons');
    for (const dir of [old, unpacked]) rmSync(dir, { recursive: true, force: true });
    mkdirSync(unpacked, { recursive: true });
    const archive = execFileSync('git', ['archive', commit, folder], { cwd: repoDir, maxBuffer: 1e9 });
    execFileSync('tar', ['-x', '-C', unpacked], { input: archive });
    cpSync(join(unpacked, folder), old, { recursive: true });
    execFileSync('chmod', ['-R', 'o+rX', old]);

    const database = `odoo_test_${process.pid}_update`;
    const filestore = join(home, 'data/filestore');
    await cloneOdooDatabase({ settings, filestore, from: baseDatabase, to: database });
    t.after(async () => {
      await dropOdooDatabase(settings, filestore, database);
      for (const dir of [old, unpacked]) rmSync(dir, { recursive: true, force: true });
    });
    await wantDemoData(settings, database);
    const world = chrootAt(join(rootDir(), 'fs'));
    const port = await nextFreePort(settings.ports.odoo + 20);
    writeOdooConfig(world, join(home, 'update-test.conf'), odooConfigOf(settings, port, database));

    const odoo = (args: string[], input = ''): Promise<string> => {
      const [program, ...rest] = world.command('odoo', 'odoo', ...args);
      const command = ['--target', String(daemon.pid), '--mount', '--pid', '--', program, ...rest];
      return run('nsenter', command, input);
    };
    const config = ['-c', '/srv/odoo/update-test.conf', '--no-http'];
    const ours = '--addons-path=/usr/lib/python3/dist-packages/odoo/addons,';
    const modules = addonNames().join(',');
    const shell = (path: string, script: string) => odoo(['shell', ...config, `${ours}${path}`], script);

    await odoo([...config, `${ours}/srv/odoo/old-addons`, '-i', 'smart_dairy_iot', '--stop-after-init']);
    await shell('/srv/odoo/old-addons', fill);
    await odoo([...config, `${ours}/srv/addons`, '-u', modules, '--stop-after-init']);
    assert.equal(await shell('/srv/addons', check), '@ 20 390.0 Left row active unchanged []');
    assert.equal(await shell('/srv/addons', uninstall), '@ [] 0 0');
  },
);

/** Runs to the end; returns the line that begins with @, if there is one. Fails with what was said on the way. */
function run(program: string, args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/tmp' };
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    child.once('error', reject);
    child.once('close', (code) => {
      const bad = code !== 0 || /^\S+ \S+ \d+ (ERROR|CRITICAL) /m.test(log) || /^Traceback/m.test(log);
      if (bad)
        reject(new Error(`${args.slice(6).join(' ')}: code ${String(code)}\n${log.slice(-4000)}\n${output}`));
      else resolve(output.split('\n').find((line) => line.startsWith('@')) ?? '');
    });
    child.stdin.end(input);
  });
}
