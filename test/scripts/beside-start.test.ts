// Commands for people beside npm start take its addresses from .stack/env; where it has never run they say that it has to.
// In a copy of the programs, so that nobody's own .stack is read or written.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { repoDir } from '../../scripts/ops/stack/instance.ts';

const copy = mkdtempSync(join(tmpdir(), 'beside-start-'));
after(() => rmSync(copy, { recursive: true }));
for (const part of ['connector', 'contract', 'gateways', 'scripts', 'package.json'])
  cpSync(join(repoDir, part), join(copy, part), { recursive: true });
symlinkSync(join(repoDir, 'node_modules'), join(copy, 'node_modules'));

function run(name: string, arg: string): Promise<{ code: unknown; stderr: string }> {
  const options = { cwd: copy, env: { PATH: process.env['PATH'], HOME: copy } };
  return new Promise((done) =>
    execFile(process.execPath, [`scripts/ops/${name}/main.ts`, arg], options, (error, _stdout, stderr) =>
      done({ code: error?.code ?? 0, stderr }),
    ),
  );
}

const commands = [
  [
    'dead-letters',
    'list',
    /^which connector\? Run npm start first/,
    /^no connector answers at http:\/\/127\.0\.0\.1:1 /,
  ],
  [
    'db',
    'status',
    /^Which database\? .*run npm start first/,
    /^The database of 127\.0\.0\.1:1\/dairy does not/,
  ],
  [
    'gateway',
    'none.yaml',
    /^MQTT_URL is not set: run npm start first/,
    /^no broker answers at mqtt:\/\/127\.0\.0\.1:1 /,
  ],
] as const;

test('before the first start, and after it', async () => {
  for (const [name, arg, expected] of commands) {
    const { code, stderr } = await run(name, arg);
    assert.equal(code, 1, stderr);
    assert.match(stderr, expected);
  }
  writeFileSync(
    join(copy, '.stack/env'),
    'CONNECTOR_URL=http://127.0.0.1:1\nDATABASE_URL=postgres://a:b@127.0.0.1:1/dairy\nMQTT_URL=mqtt://127.0.0.1:1\n',
  );
  for (const [name, arg, , expected] of commands) {
    const { code, stderr } = await run(name, arg);
    assert.equal(code, 1, stderr);
    assert.match(stderr, expected);
  }
});
