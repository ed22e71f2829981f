// Shutdown: last in, first out; every releaser runs; a hanging one is given up; signals and exit codes of a real process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { createShutdown } from '../../../contract/runtime/shutdown.ts';

function setup(capMs?: number) {
  const logged: unknown[] = [];
  const logger = pino({}, { write: (line) => logged.push(JSON.parse(line)) });
  return { logged: logged as { releaser: string; error: string }[], shutdown: createShutdown(logger, capMs) };
}

test('releasers run one after the other, the last one registered first', async () => {
  const { shutdown } = setup();
  const events: string[] = [];
  for (const name of ['database', 'intake', 'rest'])
    shutdown.onRelease(name, async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
    });
  await shutdown.release();
  assert.deepEqual(
    events,
    ['rest', 'intake', 'database'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test('a releaser that throws, rejects or hangs costs only itself, and is named', async () => {
  const { shutdown, logged } = setup(20);
  const released: string[] = [];
  shutdown.onRelease('first', () => void released.push('first'));
  shutdown.onRelease('throws', () => {
    throw new Error('at once');
  });
  shutdown.onRelease('rejects', () => Promise.reject(new Error('later')));
  shutdown.onRelease('hangs', () => new Promise(() => undefined));
  shutdown.onRelease('last', () => void released.push('last'));
  await shutdown.release();
  assert.deepEqual(released, ['last', 'first']);
  assert.deepEqual(
    logged.map(({ releaser, error }) => [releaser, error]),
    [
      ['hangs', 'hangs did not stop within 20 ms'],
      ['rejects', 'later'],
      ['throws', 'at once'],
    ],
  );
});

test('releasing twice releases once; what is registered meanwhile is released too', async () => {
  const { shutdown } = setup();
  const released: string[] = [];
  shutdown.onRelease('a', () => {
    released.push('a');
    shutdown.onRelease('late', () => void released.push('late'));
  });
  const first = shutdown.release();
  assert.equal(shutdown.release(), first);
  await first;
  assert.deepEqual(released, ['a', 'late']);
});

describe('a process', () => {
  const prelude = `
    import { createLogger } from './contract/runtime/logger.ts';
    import { runMain } from './contract/runtime/shutdown.ts';
    const logger = createLogger('test');
    const say = (text) => process.stdout.write(text + '\\n');`;

  /** Runs a main; `signals` are sent each time it says `ready`. Resolves with its exit code and what it said. */
  async function run(main: string, signals: NodeJS.Signals[] = []) {
    const script = `${prelude} runMain(logger, ${main});`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { PATH: process.env['PATH'] },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (chunk.includes('ready')) child.kill(signals.shift());
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out: out.trim().split('\n'), err };
  }
  const waiting = `async (shutdown) => {
    const timer = setInterval(() => undefined, 1000);
    shutdown.onRelease('timer', () => { clearInterval(timer); say('released'); });
    say('ready');
  }`;

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} releases and exits 0`, async () => {
      const { code, out } = await run(waiting, [signal]);
      assert.deepEqual([code, out], [0, ['ready', 'released']]);
    });
  }

  test('a second signal exits at once', async () => {
    const hanging = `async (shutdown) => {
      shutdown.onRelease('hangs', () => { say('ready'); return new Promise(() => setInterval(() => undefined, 1000)); });
      setInterval(() => undefined, 1000);
      say('ready');
    }`;
    const { code, out } = await run(hanging, ['SIGTERM', 'SIGTERM']);
    assert.deepEqual([code, out], [130, ['ready', 'ready']]);
  });

  for (const [how, main] of [
    [
      'rejects',
      `async (shutdown) => { shutdown.onRelease('a', () => say('released')); throw new Error('no port'); }`,
    ],
    [
      'throws',
      `(shutdown) => { shutdown.onRelease('a', () => say('released')); throw new Error('no port'); }`,
    ],
  ] as const) {
    test(`a main that ${how} is released, exits 1 and says why`, async () => {
      const { code, out, err } = await run(main);
      assert.deepEqual([code, out], [1, ['released']]);
      assert.match(err, /"error":"no port","msg":"could not start"/);
    });
  }
});
