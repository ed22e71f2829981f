// What is told of a program that failed: its last error in words, never a stack trace or escaped JSON.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { failureOf, lastWords, withLastWords } from '../../../../scripts/ops/stack/last-words.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-words-'));
after(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'a.log');

for (const [name, log, expected] of [
  [
    'a daemon of ours',
    '{"level":30,"msg":"starts"}\n{"level":60,"error":"config/connector.yaml:4:3: unknown key\\nconfig/connector.yaml:5:1: x","msg":"could not start"}\n{"level":30,"msg":"stopping"}\n',
    'could not start: config/connector.yaml:4:3: unknown key\nconfig/connector.yaml:5:1: x',
  ],
  [
    'PostgreSQL',
    '2026-11-28 UTC [1] LOG:  starting\n2026-11-28 UTC [1] FATAL:  could not create lock file\n2026-11-28 UTC [1] LOG:  database system is shut down\n',
    '2026-11-28 UTC [1] FATAL:  could not create lock file',
  ],
  [
    'an exception of Node.js',
    'node:net:1\n    throw err;\nError: listen EADDRINUSE: address already in use 127.0.0.1:8080\n    at Server.setup (node:net:1:2)\n\nNode.js v24.1.0\n',
    'Error: listen EADDRINUSE: address already in use 127.0.0.1:8080',
  ],
  [
    'an exception of Node.js with properties',
    "node:fs:1\nError: EACCES: permission denied, scandir '/mnt/app'\n    at open (node:fs:1:2) {\n  errno: -13,\n  code: 'EACCES'\n}\n\nNode.js v24.1.0\n",
    "Error: EACCES: permission denied, scandir '/mnt/app'",
  ],
  [
    'an exception of Node.js that does not call itself an error',
    'Fault: no such unit\n    at read (file:///app/main.ts:1:2)\n\nNode.js v24.1.0\n',
    'Fault: no such unit',
  ],
  ['no error at all', 'one\ntwo\n', 'two'],
  ['half a line of JSON', '{"level":60,"msg":"x', '{"level":60,"msg":"x'],
  ['nothing', '', ''],
] as const)
  test(name, () => {
    writeFileSync(file, log);
    assert.equal(lastWords(file), expected);
  });

test('what an earlier run said is not repeated', () => {
  writeFileSync(file, 'Error: of yesterday\nstarting\n');
  assert.equal(lastWords(file, 'Error: of yesterday\n'.length), 'starting');
  assert.equal(withLastWords('it ended', file, 20), `it ended:\n  starting\n  log: ${file}`);
  assert.equal(withLastWords('it ended', join(dir, 'none.log')), `it ended\n  log: ${join(dir, 'none.log')}`);
});

test('a program that was run to its end and failed is told by its last error, not by its command and all it said', () => {
  const stderr = `2026-11-28 INFO odoo: Modules loading
Traceback (most recent call last):
  File "/usr/bin/odoo", line 8, in <module>
    odoo.cli.main()
psycopg2.OperationalError: connection refused
`;
  const thrown = Object.assign(new Error(`Command failed: chroot --userspec=odoo …\n${stderr}`), {
    code: 1,
    stderr,
  });
  assert.equal(
    failureOf('odoo', thrown).message,
    'odoo failed: psycopg2.OperationalError: connection refused',
  );
  const silent = Object.assign(new Error('Command failed: initdb'), { code: 2, stderr: '' });
  assert.equal(failureOf('initdb', silent).message, 'initdb failed: exit code 2');
  assert.equal(
    failureOf('docker', new Error('spawn docker ENOENT')).message,
    'docker failed: spawn docker ENOENT',
  );
});
