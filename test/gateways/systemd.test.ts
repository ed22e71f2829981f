// The systemd units: as systemd reads them where it is installed, and everywhere that they start files that exist.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { protocolNames } from '../../gateways/shared/process.ts';

const folder = 'gateways/systemd';
const units = ['smart-dairy-gateway.service', 'smart-dairy-gateway@.service'];
const noSystemd =
  spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'no systemd-analyze on this machine';

/** The unit where this checkout stands for /opt/smart-dairy. */
const here = (unit: string) =>
  readFileSync(join(folder, unit), 'utf8').replaceAll('/opt/smart-dairy', process.cwd());

test('each unit starts a program of this repository, by name of the protocol too', () => {
  for (const unit of units) {
    const [, script = ''] = /^ExecStart=\S+ (?:--\S+ )*(\S+)/m.exec(here(unit)) ?? [];
    const scripts = unit.includes('@')
      ? protocolNames().map((name) => script.replaceAll('%i', name))
      : [script];
    for (const path of scripts) assert.ok(existsSync(path), path);
    assert.match(here(unit), /^EnvironmentFile=\/etc\/smart-dairy\/gateway\.env$/m);
  }
});

test('systemd finds nothing wrong with them', { skip: noSystemd }, (t) => {
  const copies = mkdtempSync(join(tmpdir(), 'units-'));
  t.after(() => rmSync(copies, { recursive: true }));
  for (const unit of units) writeFileSync(join(copies, unit), here(unit));
  const instance = join(copies, 'smart-dairy-gateway@modbus.service');
  writeFileSync(instance, here('smart-dairy-gateway@.service'));
  for (const file of [join(copies, 'smart-dairy-gateway.service'), instance]) {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.equal(
      stderr
        .split('\n')
        .filter((line) => line.includes('smart-dairy'))
        .join('\n'),
      '',
    );
  }
});
