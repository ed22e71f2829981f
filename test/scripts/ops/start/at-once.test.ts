// Two commands at once: a start is followed by the next one, ended by a stop; other commands wait for each other.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockToEnd } from '../../../../scripts/ops/start/end.ts';
import { followStart } from '../../../../scripts/ops/start/follow.ts';
import { newRecord, writeRecord } from '../../../../scripts/ops/start/record.ts';
import { lockHolder } from '../../../../scripts/ops/stack/lock.ts';
import type { Instance } from '../../../../scripts/ops/stack/types.ts';
import { endChild } from '../../../support/end.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-at-once-'));
mkdirSync(join(dir, 'run'));
after(() => rmSync(dir, { recursive: true }));
const instance = { dir } as Instance;

/** A process that has the lock for `action`; with `isSupervisor` it is written down as the one that starts. */
async function holder(action: string, isSupervisor: boolean): Promise<ChildProcess> {
  const script = `import { tryLock } from './scripts/ops/stack/lock.ts';
    import { newRecord, writeRecord } from './scripts/ops/start/record.ts';
    const instance = { dir: ${JSON.stringify(dir)} };
    await tryLock(instance, ${JSON.stringify(action)});
    if (${isSupervisor}) writeRecord(instance, newRecord());
    console.log('mine'); setInterval(() => 0, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('a start that is under way is ended by whoever stops', async (t) => {
  const start = await holder('npm start', true);
  t.after(() => endChild(start));
  const ended = once(start, 'exit') as Promise<[number | null, string | null]>;
  const said: string[] = [];
  const lock = await lockToEnd(instance, 'npm stop', (words) => said.push(words));
  assert.equal((await ended)[1], 'SIGTERM');
  assert.deepEqual(said, [`ending 'npm start' (pid ${start.pid})`]);
  assert.equal(lockHolder(instance)?.action, 'npm stop');
  await lock.release();
});

test('another command is waited for', async (t) => {
  const reset = await holder('stack reset', false);
  t.after(() => endChild(reset));
  const { promise: isTold, resolve: tell } = Promise.withResolvers<string>();
  const locking = lockToEnd(instance, 'npm stop', tell);
  assert.equal(await isTold, `waiting for 'stack reset' (pid ${reset.pid})`);
  assert.deepEqual([reset.exitCode, reset.signalCode], [null, null]);
  await endChild(reset);
  await (await locking).release();
});

test('a second start tells the steps of the first one, and what became of it', async () => {
  const record = newRecord();
  const steps: string[] = [];
  const follow = (phase: 'running' | 'failed', step: string) => {
    writeRecord(instance, { ...record, phase: 'starting', step: 'starting PostgreSQL' });
    let isOver = false;
    return followStart(
      instance,
      () => isOver,
      (words) => {
        steps.push(words);
        writeRecord(instance, { ...record, phase, step });
        isOver = true;
      },
    );
  };
  assert.deepEqual(await follow('running', 'running'), { phase: 'running', pid: process.pid });
  assert.deepEqual(await follow('failed', 'no room'), {
    phase: 'failed',
    failure: 'no room',
  });
  assert.deepEqual(steps, ['starting PostgreSQL', 'starting PostgreSQL']);
});
