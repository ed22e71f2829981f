// A customer's update: the addons of an earlier commit with data, updated to these; and an uninstall that leaves nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { runningDaemon } from '../../scripts/ops/stack/client.ts';
import { openInstance, readSettings, repoDir } from '../../scripts/ops/stack/instance.ts';
import { addonNames } from '../../scripts/ops/stack/real/addons.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../scripts/ops/stack/real/odoo-database.ts';
import { wantDemoData } from '../../scripts/ops/stack/real/odoo.ts';
import { baseDatabase } from '../../scripts/ops/stack/real/seed.ts';
import { odooCommand } from '../support/odoo-command.ts';

const folder = 'odoo-addon-bridge';
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repoDir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
const versionIn = (manifest: string): string => /'version': '([^']+)'/.exec(manifest)?.[1] ?? '';

/** The last commit before smart_dairy_iot got this tree's version; undefined without a history. */
function earlierCommit(): string | undefined {
  const manifest = `${folder}/smart_dairy_iot/__manifest__.py`;
  const here = versionIn(readFileSync(join(repoDir, manifest), 'utf8'));
  try {
    const commits = git('log', '--format=%H', '--', manifest).split('\n').filter(Boolean);
    const former = commits.findIndex((commit) => versionIn(git('show', `${commit}:${manifest}`)) !== here);
    if (former === -1) return undefined;
    return git('rev-parse', former === 0 ? 'HEAD' : `${commits[former - 1]}^`);
  } catch {
    return undefined;
  }
}

/** The addons of before, as a tar. Clones of a CI have no history: for them there is the last version kept in test/golden. */
function earlierAddons(): Buffer {
  const commit = earlierCommit();
  if (commit !== undefined)
    return execFileSync('git', ['archive', commit, folder], { cwd: repoDir, maxBuffer: 1e9 });
  // Made by: git archive COMMIT odoo-addon-bridge ':!*.png' ':!*.svg' ':!*/tests/*' ':!*/i18n/*' | gzip -9n
  const kept = join(repoDir, 'test/golden/addons');
  const newest = readdirSync(kept).sort().at(-1) ?? '';
  return gunzipSync(readFileSync(join(kept, newest)));
}

/** Records as the connector sends them, and as people keep them; prints nothing. */
const fill = `
Session = env['iot.milk.session']
records = [{'source': 'smart_dairy', 'source_id': f'upd/m1/{n}', 'revision': 1, 'farm': 'upd', 'device_uid': 'm1',
            'device_type': 'milk_meter', 'start_datetime': '2026-05-01 04:00:00', 'yield_kg': 10 + n} for n in range(20)]
assert {a['status'] for a in Session.upsert_batch(records)} == {'created'}
device = env['iot.device'].search([('device_uid', '=', 'm1')])
device.write({'name': 'Left row', 'state': 'active'})
farm = device.farm_id
cow = env['farm.animal'].create({'name': 'Bella', 'farm_id': farm.id, 'rfid_tag': '900000000000031'})
env['iot.device.assignment'].create({'device_id': device.id, 'animal_id': cow.id})
env['iot.device.calibration'].create({'device_id': device.id, 'result': 'pass', 'date': '2026-01-02'})
env['iot.threshold'].create({'farm_id': farm.id, 'metric': 'milk_scc', 'high': 300000})
env['iot.alert'].upsert_batch([{'source': 'smart_dairy', 'source_id': 'upd/a', 'revision': 1, 'farm': 'upd', 'alert_type': 'x',
    'severity': 'low', 'message': 'x', 'raised_at': '2026-05-01 04:00:00'}])
env['ir.config_parameter'].set_param('smart_dairy.connector_hook', 'http://127.0.0.1:9/hook')
env['iot.bridge.setup']._issue_connector_key()
env.cr.commit()
`;
const check = `
sessions = env['iot.milk.session'].search([('source_id', '=like', 'upd/%')])
device = sessions.device_id
again = env['iot.milk.session'].upsert_batch([{'source': 'smart_dairy', 'source_id': 'upd/m1/1', 'revision': 1, 'farm': 'upd',
    'start_datetime': '2026-05-01 04:00:00'}])[0]['status']
env['iot.device.calibration'].create({'device_id': device.id, 'result': 'pass'})
rules = env['base.automation'].with_context(active_test=False).search([('name', '=like', 'Connector:%')])
key = bool(env['iot.connector']._key_expires())
broken = [v.name for v in env['ir.ui.view'].search([('model', '=like', 'iot.%')]) if not v.arch]
print('@', len(sessions), sum(sessions.mapped('yield_kg')), device.name, device.state, again, broken,
      device.animal_id.name, device.calibration_ids.mapped('date')[-1], env['iot.threshold'].search([('farm_id', '=', device.farm_id.id)]).high,
      env['iot.alert'].search([('source_id', '=', 'upd/a')]).state, key, sorted(rules.mapped('active')))
`;
const uninstall = `
ours = ('smart_dairy_farm', 'smart_dairy_iot', 'smart_dairy_iot_automation')
assert env['ir.module.module'].search_count([('name', 'in', ours), ('state', '=', 'installed')]) == 3
env['ir.module.module'].search([('name', 'in', ours)]).button_immediate_uninstall()
left = {}
for what, query in (
    ('tables', "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND (tablename LIKE 'farm\\\\_%' OR tablename LIKE 'iot\\\\_%')"),
    ('names', "SELECT name FROM ir_model_data WHERE module LIKE 'smart\\\\_dairy%'"),
    ('schedules', "SELECT a.id FROM ir_cron c JOIN ir_act_server a ON a.id = c.ir_actions_server_id WHERE a.name::text LIKE '%Smart Dairy%'"),
    ('rules', "SELECT id FROM base_automation WHERE name::text LIKE '%Connector:%'"),
    ('actions', "SELECT id FROM ir_act_server WHERE name::text LIKE '%Connector:%'"),
    ('parameters', "SELECT key FROM ir_config_parameter WHERE key LIKE 'smart\\\\_dairy%'"),
    ('keys', "SELECT k.id FROM res_users_apikeys k JOIN res_users u ON u.id = k.user_id WHERE u.login LIKE 'smart\\\\_dairy%'"),
    ('users', "SELECT login FROM res_users WHERE active AND login LIKE 'smart\\\\_dairy%'"),
):
    env.cr.execute(query)
    if rows := [row[0] for row in env.cr.fetchall()]:
        left[what] = rows
print('@', left)
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

    const home = join(instance.dir, 'real/odoo');
    const old = join(home, 'old-addons');
    const unpacked = join(instance.dir, 'old-addons');
    for (const dir of [old, unpacked]) rmSync(dir, { recursive: true, force: true });
    mkdirSync(unpacked, { recursive: true });
    execFileSync('tar', ['-x', '-C', unpacked], { input: earlierAddons() });
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
    const odoo = await odooCommand(database);
    t.after(odoo.end);

    const ours = '--addons-path=/usr/lib/python3/dist-packages/odoo/addons,';
    const modules = addonNames().join(',');
    /** The line that begins with @, if there is one. */
    const shell = async (path: string, script: string) => {
      const output = await odoo.run(['shell', `${ours}${path}`], script);
      return output.split('\n').find((line) => line.startsWith('@')) ?? '';
    };

    await odoo.run([
      `${ours}/srv/odoo/old-addons`,
      '-i',
      'smart_dairy_iot,base_automation',
      '--stop-after-init',
    ]);
    await shell('/srv/odoo/old-addons', fill);
    await odoo.run([`${ours}/srv/addons`, '-u', modules, '--stop-after-init']);
    assert.equal(
      await shell('/srv/addons', check),
      '@ 20 390.0 Left row active unchanged [] Bella 2026-01-02 300000.0 new True [True, True, True, True, True]',
    );
    assert.equal(await shell('/srv/addons', uninstall), '@ {}', 'left behind by the uninstall');
  },
);
