// A start by root: each program is an ordinary user of its own, who reads the repository without .stack and writes one folder.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { hasOwnUsers, placeOf } from '../../../../scripts/ops/start/program-user.ts';
import { openInstance } from '../../../../scripts/ops/stack/instance.ts';
import type { Instance } from '../../../../scripts/ops/stack/types.ts';

const look = `
  const fs = require('node:fs');
  const tried = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const of = (name) => status.split('\\n').find((line) => line.startsWith(name + ':')).slice(name.length + 1).trim().replaceAll('\\t', ' ');
  console.log(JSON.stringify({
    uids: of('Uid'), gids: of('Gid'), groups: of('Groups'), capabilities: of('CapEff'), noNewPrivs: of('NoNewPrivs'),
    package: tried(() => fs.readFileSync('package.json')), secrets: tried(() => fs.readdirSync('.stack')), secretsMode: fs.statSync('.stack').mode & 0o777,
    here: tried(() => fs.writeFileSync('written-by-a-program', '')),
    data: tried(() => fs.writeFileSync(process.argv[1] + '/written', '')), home: process.env.HOME === process.argv[1],
  }));`;

test('connector, gateway and simulator', async (t) => {
  if (!hasOwnUsers()) return t.skip('needs root who may mount');
  openInstance('test');
  const dir = mkdtempSync(join(tmpdir(), 'program-user-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const seen: string[] = [];
  for (const name of ['connector', 'gateway', 'simulator'] as const) {
    const { prefix, node, dataDir } = placeOf({ dir } as Instance, name);
    const [program, ...args] = [...prefix, node, '--eval', look, dataDir];
    const { stdout } = await promisify(execFile)(program, args);
    const { uids, gids, groups, ...rest } = JSON.parse(stdout) as Record<string, string>;
    const { uid } = statSync(join(dir, 'programs', name, 'written'));
    assert.deepEqual([uids, gids], [Array(4).fill(uid).join(' '), Array(4).fill(uid).join(' ')], name);
    // Serial lines are the gateway's.
    assert.match(groups ?? '', name === 'gateway' ? /^\d*$/ : /^$/);
    assert.deepEqual(rest, {
      capabilities: '0000000000000000',
      noNewPrivs: '1',
      package: 'done',
      secrets: 'EACCES',
      // Nothing is there, whatever the folder's own rights are.
      secretsMode: 0,
      here: 'EROFS',
      data: 'done',
      home: true,
    });
    seen.push(uids ?? '');
  }
  assert.equal(new Set(seen).size, 3);
  assert.ok(seen.every((uids) => !uids.startsWith('0')));
});
