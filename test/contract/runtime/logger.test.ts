// The logger writes JSON lines to stderr, without secrets.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

/** What a process with this script logs. */
function logged(script: string, environment: Record<string, string> = {}) {
  const source = `import { createLogger } from './contract/runtime/logger.ts';
    import { AppError } from './contract/errors.ts';\n${script}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
  });
  assert.deepEqual([child.status, child.stdout], [0, '']);
  return {
    text: child.stderr,
    lines: child.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test('secrets are redacted, at the top and one level down; errors keep their message', () => {
  const { text, lines } = logged(`
    const secrets = Object.fromEntries(['password', 'api_key', 'apiKey', 'token', 'authorization', 'url', 'secret']
      .map((name) => [name, 'hush-' + name]));
    const logger = createLogger('test', 'info');
    logger.info({ ...secrets, host: 'db' }, 'top');
    logger.info({ odoo: { ...secrets, database: 'dairy' } }, 'nested');
    logger.error({ error: new AppError('bug', 'what happened') }, 'failed');
    logger.error({ error: 'only text' }, 'failed');
    logger.debug('not at this level');`);
  assert.doesNotMatch(text, /hush/);
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['top', 'nested', 'failed', 'failed'],
  );
  assert.equal(lines[0]?.['host'], 'db');
  assert.equal(lines[0]['password'], '[Redacted]');
  assert.equal((lines[1]?.['odoo'] as Record<string, unknown>)['database'], 'dairy');
  assert.deepEqual([lines[2]?.['error'], lines[3]?.['error']], ['what happened', 'only text']);
  for (const line of lines) assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test("the level is what the daemon sets, never the environment: that is the configuration's", () => {
  const levels = (script: string) =>
    logged(`const logger = createLogger('test'); ${script} logger.info('info'); logger.warn('warn');`, {
      LOG_LEVEL: 'error',
    }).lines.map(({ msg }) => msg);
  assert.deepEqual(levels(''), ['info', 'warn']);
  assert.deepEqual(levels("logger.level = 'warn';"), ['warn']);
});

test('a log on a full disk does not end the daemon', async () => {
  const script = `import { createLogger } from './contract/runtime/logger.ts';
    const logger = createLogger('full');
    for (let i = 0; i < 1000; i++) logger.error({ i }, 'x'.repeat(10_000));
    setImmediate(() => console.log('alive'));`;
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', full],
  });
  closeSync(full);
  assert.ok(child.stdout);
  assert.equal(await text(child.stdout), 'alive\n');
});
