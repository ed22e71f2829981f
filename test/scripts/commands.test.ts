// Every command: --help answers with exit 0 on stdout, nonsense with a near match and exit 2 on stderr, a failure in one sentence
// with exit 1; never a stack trace, never a banner of npm's between the data.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openInstance } from '../../scripts/ops/stack/instance.ts';

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

const home = mkdtempSync(join(tmpdir(), 'commands-'));
after(() => rmSync(home, { recursive: true }));

/** Without the addresses of a stack: a command has to say what it misses. */
function run([program = '', ...args]: readonly string[], env: Record<string, string> = {}): Promise<Answer> {
  return new Promise((done) => {
    const options = { env: { PATH: process.env['PATH'], HOME: home, ...env } };
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

const node = (file: string): string[] => [process.execPath, file];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
/** What an npm script runs, without npm and without the installation of packages. */
const commandOf = (script: string): string[] => {
  const [, name = '', ...args] = /run\.sh (\S+)(?: (.*))?$/.exec(scripts[script] ?? '') ?? [];
  const folder = ['ops', 'dev'].find((part) => exists(`scripts/${part}/${name}/main.ts`)) ?? '';
  return [
    ...node(`scripts/${folder}/${name}/main.ts`),
    ...args.flatMap((arg: string | undefined) => arg ?? []),
  ];
};
const exists = (file: string): boolean => {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
};

const daemons = {
  connector: node('connector/main.ts'),
  'gateways/modbus': node('gateways/modbus/main.ts'),
  simulator: node('scripts/dev/simulator/main.ts'),
};
const npmScripts = Object.keys(scripts).filter((name) => name !== 'format');
const commands: Record<string, string[]> = {
  ...Object.fromEntries(npmScripts.map((name) => [`npm run ${name}`, commandOf(name)])),
  ...daemons,
};

const noTrace = (text: string): void => assert.doesNotMatch(text, /^ {4}at |node:internal|\{"level"/m);

for (const [name, command] of Object.entries(commands)) {
  test(`${name} --help`, async () => {
    for (const option of ['--help', '-h']) {
      const { code, stdout, stderr } = await run([...command, option]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, /^Usage:/);
    }
  });

  test(`${name} with an option that there is not`, async () => {
    const { code, stdout, stderr } = await run([...command, '--nonsens']);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^unknown option --nonsens/);
    assert.match(stderr, /^Usage:/m);
    noTrace(stderr);
  });
}

for (const [words, expected] of [
  ['start --detatch', /unknown option --detatch; did you mean '--detach'\?/],
  ['start now', /unexpected argument 'now'/],
  ['stop --al', /unknown option --al/],
  ['stack resett', /unknown command 'resett'; did you mean 'reset'\?/],
  ['stack', /which command\? One of up, down, status, reset/],
  ['stack status --instance demoo', /did you mean 'demo'/],
  [
    'stack reset --instance chaos',
    /deletes all data of the chaos instance .*\nNobody can be asked here: add --yes/,
  ],
  ['db statsu', /unknown command 'statsu'; did you mean 'status'\?/],
  ['db restore a.dump', /--into NAME is missing/],
  ['db restore-archive yesterday', /a day such as 2026-08-01 expected, found 'yesterday'/],
  ['dead-letters lst', /unknown command 'lst'; did you mean 'list'\?/],
  ['dead-letters list --state waitng', /unknown --state 'waitng'; did you mean 'waiting'\?/],
  ['dead-letters show seven', /ID: a whole number .* found 'seven'/],
  ['dead-letters replay', /replay which\?/],
  ['profile chek x.yaml', /unknown command 'chek'; did you mean 'check'\?/],
  ['profile check', /check which FILE\?/],
  ['profile probe config/profiles/gate-modbus.yaml --host h --unit many', /--unit: .* found 'many'/],
  ['bench mqt', /unknown benchmark 'mqt'; did you mean 'mqtt'\?/],
  ['chaos pipelin', /did you mean 'pipeline'/],
  ['compare nonsense mqtt', /there is no commit nonsense/],
  ['fuzz nonsense', /no decoder has 'nonsense' in its path/],
  ['fuzz --runs many', /--runs: .* found 'many'/],
  ['gateway a.yaml b.yaml', /unexpected argument 'b.yaml'/],
] as const)
  test(`npm run ${words}`, async () => {
    const [script = '', ...args] = words.split(' ');
    const { code, stdout, stderr } = await run([...commandOf(script), ...args]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, expected);
    noTrace(stderr);
  });

test('what cannot work is said in one sentence with exit 1', async () => {
  const away = { CONNECTOR_URL: 'http://127.0.0.1:1', CONNECTOR_TOKEN: 'x' };
  const letters = await run([...commandOf('dead-letters'), 'list'], away);
  assert.equal(letters.code, 1);
  assert.match(
    letters.stderr,
    /^no connector answers at http:\/\/127\.0\.0\.1:1 \(.*\): npm start starts it/,
  );
  noTrace(letters.stderr);

  const database = await run([...commandOf('db'), 'status'], {
    DATABASE_URL: 'postgres://someone:secret@127.0.0.1:1/dairy',
  });
  assert.equal(database.code, 1);
  assert.match(database.stderr, /^The database of 127\.0\.0\.1:1\/dairy does not answer/);
  assert.doesNotMatch(database.stderr, /secret/);

  const probe = await run([
    ...commandOf('profile'),
    ...'probe config/profiles/gate-modbus.yaml --host 127.0.0.1 --port 1'.split(' '),
  ]);
  assert.equal(probe.code, 1);
  assert.match(probe.stderr, /^nothing answers/);

  const gateway = await run([...commandOf('gateway'), 'none.yaml'], { MQTT_URL: 'mqtt://127.0.0.1:1' });
  assert.equal(gateway.code, 1);
  assert.match(gateway.stderr, /^no broker answers at mqtt:\/\/127\.0\.0\.1:1 \(.*\): readings wait/);
  assert.match(gateway.stderr, /none\.yaml: cannot be read/);
  noTrace(gateway.stderr);
});

test('npm adds nothing to what a command prints', async () => {
  const { code, stdout, stderr } = await run(['npm', 'run', 'profile', '--', 'new']);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.match(stdout, /^# VENDOR MODEL/);
});

test('a command whose output goes to a full disk goes on, and one whose reader has left ends in silence', async () => {
  const script = `import { runCommand } from './contract/runtime/command-line.ts';
    await runCommand('', async () => {
      for (let i = 0; i < 20; i++) { console.error('x'); await new Promise((next) => setImmediate(next)); }
      console.log('alive');
    });`;
  const command = [process.execPath, '--input-type=module', '--eval', script];
  const full = await run(['sh', '-c', '"$@" 2>/dev/full', 'sh', ...command]);
  assert.deepEqual(full, { code: 0, stdout: 'alive\n', stderr: '' });
  const left = await run(['sh', '-c', '"$@" | true', 'sh', ...commandOf('profile'), 'new']);
  assert.deepEqual(left, { code: 0, stdout: '', stderr: '' });
});

test('a folder that an earlier start by root has left is said, with the way out', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root, to be another user than the owner');
  openInstance('demo');
  const other = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { code, stderr } = await run([...other, ...commandOf('dead-letters'), 'list']);
  if (/Cannot find module|execve|failed to execute/.test(stderr))
    return t.skip('nobody may read this folder');
  assert.equal(code, 1);
  assert.match(stderr, /\.stack cannot be written: it belongs to root\. .*sudo rm -rf/);
  noTrace(stderr);
});
