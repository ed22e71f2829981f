// A newcomer's first minutes: npm start, npm stop and the stack's commands, as programs, in a clone of their own with services of
// its own (embedded mode, without Odoo). Alone, because it is a whole product beside the tests' own stack.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseEnv } from '../../scripts/ops/stack/env-file.ts';
import { repoDir } from '../../scripts/ops/stack/instance.ts';
import { endChild } from '../support/end.ts';
import { eventually } from '../support/connector.ts';

mkdirSync(join(repoDir, '.stack'), { recursive: true, mode: 0o700 });
const clone = mkdtempSync(join(repoDir, '.stack', 'start-'));
// Of the clone where it has one: programs of a start by root see nothing else.
const node = process.execPath.startsWith(`${repoDir}/`)
  ? join(clone, relative(repoDir, process.execPath))
  : process.execPath;
/** Nothing of the tests' own stack. */
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8' };
const envFile = join(clone, '.stack/env');

function makeClone(): void {
  // Programs of a start by root are other users.
  chmodSync(clone, 0o755);
  for (const name of ['connector', 'contract', 'gateways', 'scripts', 'timescale', 'config', 'package.json'])
    cpSync(join(repoDir, name), join(clone, name), { recursive: true });
  execFileSync('cp', ['-al', join(repoDir, 'node_modules'), clone]);
}

interface Answer {
  code: number;
  output: string;
}

/** Runs a command of the clone to its end. */
function run(script: string, ...args: string[]): Promise<Answer> {
  const options = { cwd: clone, env };
  return new Promise((done) => {
    const child = execFile(node, [`scripts/ops/${script}/main.ts`, ...args], options, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code ?? -1), output: out + err }),
    );
    child.stdin?.end();
  });
}

/** A value of the env file that the start has written. */
const valueOf = (key: string): string => parseEnv(readFileSync(envFile, 'utf8'))[key] ?? '';

const answers = (): Promise<boolean> =>
  fetch(`${valueOf('CONNECTOR_URL')}/health/live`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

describe('npm start in embedded mode', () => {
  before(makeClone);
  after(async () => {
    await run('stack', 'reset', '--yes');
    rmSync(clone, { recursive: true });
  });

  test('before the first start nothing runs, and that is said', async () => {
    assert.match((await run('start', '--stop')).output, /^nothing was running$/m);
    const { code, output } = await run('dead-letters', 'list');
    assert.equal(code, 1, output);
    assert.match(output, /npm start/);
  });

  test('--detach returns with a stored milking, and says where everything is', async () => {
    const { code, output } = await run('start', '--embedded', '--detach', '--speed', '20');
    assert.equal(code, 0, output);
    assert.match(output, /mode embedded/);
    assert.match(output, /starting the connector/);
    assert.match(output, /npm stop stops everything/);
    assert.match(output, /Odoo +none here/);
    assert.equal(await answers(), true);
    const headers = { authorization: `Bearer ${valueOf('CONNECTOR_TOKEN')}` };
    const url = `${valueOf('CONNECTOR_URL')}/api/v1/milkings/latest?limit=1`;
    assert.match(await (await fetch(url, { headers })).text(), /yield/);
  });

  test('the other commands find it by themselves', async () => {
    assert.match((await run('stack', 'status')).output, /postgres/);
    const letters = await run('dead-letters', 'list');
    assert.equal(letters.code, 0, letters.output);
    const status = await run('db', 'status');
    assert.equal(status.code, 0, status.output);
  });

  test('a backup is made while it runs, and restored into a database beside it', async () => {
    const backup = await run('db', 'backup', 'all.dump');
    assert.equal(backup.code, 0, backup.output);
    assert.match(backup.output, /^all\.dump: \d/m);
    const restored = await run('db', 'restore', 'all.dump', '--into', 'copy');
    assert.equal(restored.code, 0, restored.output);
    assert.match(restored.output, /^restored into .*\/copy: /m);
    const again = await run('db', 'restore', 'all.dump', '--into', 'copy');
    assert.equal(again.code, 1, again.output);
    assert.match(again.output, /is there already/);
  });

  test('a second start leaves the first one alone', async () => {
    const { code, output } = await run('start', '--embedded', '--detach');
    assert.equal(code, 0, output);
    assert.match(output, /^It runs already\.$/m);
    assert.equal(await answers(), true);
  });

  test('npm stop ends all of it; data stays', async () => {
    const { code, output } = await run('start', '--stop');
    assert.equal(code, 0, output);
    assert.match(output, /^stopped$/m);
    assert.equal(await answers(), false);
    assert.match((await run('start', '--stop')).output, /^nothing was running$/m);
    assert.ok(existsSync(envFile));
  });

  test('in the foreground it goes on with a status, and a signal ends all of it in order', async (t) => {
    const args = ['scripts/ops/start/main.ts', '--embedded', '--no-simulator'];
    const child = spawn(node, args, { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => endChild(child));
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (output += data.toString()));
    await eventually('the status', () => {
      if (child.exitCode !== null) throw new Error(`connector ended with ${child.exitCode}:\n${output}`);
      return Promise.resolve(/^messages \d+ · readings \d+/m.test(output));
    });
    assert.equal(await answers(), true);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, output);
    assert.match(output, /^stopping$/m);
    assert.equal(await answers(), false);
  });

  test('a configuration with a mistake fails the start with its place, and leaves nothing running', async () => {
    const file = join(clone, 'config/connector.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('\nmqtt:\n', '\nmqtt:\n  ulr: x\n'));
    const { code, output } = await run('start', '--embedded', '--detach', '--no-simulator');
    writeFileSync(file, text);
    assert.equal(code, 1, output);
    assert.match(output, /connector\.yaml:\d+:\d+/);
    assert.match((await run('start', '--stop')).output, /^nothing was running$/m);
  });

  test('the services alone go up and down', async () => {
    const up = await run('stack', 'up', '--embedded');
    assert.equal(up.code, 0, up.output);
    assert.match(up.output, /services are up; addresses and secrets: /);
    assert.match((await run('stack', 'up')).output, /it runs already/);
    assert.match((await run('stack', 'status')).output, /^ {2}postgres: running$/m);
    const down = await run('stack', 'down');
    assert.equal(down.code, 0, down.output);
    assert.match((await run('stack', 'status')).output, /does not run/);
  });

  test('a reset asks, and with --yes deletes all data', async () => {
    const asked = await run('stack', 'reset');
    assert.notEqual(asked.code, 0, asked.output);
    assert.ok(existsSync(envFile));
    const { code, output } = await run('stack', 'reset', '--yes');
    assert.equal(code, 0, output);
    assert.equal(existsSync(envFile), false);
  });
});
