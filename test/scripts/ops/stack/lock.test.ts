// The lock of an instance: one at a time, and free again however its holder ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockHolder, takeLock, tryLock } from '../../../../scripts/ops/stack/lock.ts';
import type { Instance } from '../../../../scripts/ops/stack/types.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-lock-'));
mkdirSync(join(dir, 'run'));
after(() => rmSync(dir, { recursive: true }));
const instance = { dir } as Instance;

test('a second one is told who has it, and gets it when it is released', async () => {
  const first = await tryLock(instance, 'npm start');
  assert.ok(first);
  assert.equal(await tryLock(instance, 'npm stop'), undefined);
  assert.deepEqual(
    { action: lockHolder(instance)?.action, pid: lockHolder(instance)?.pid },
    { action: 'npm start', pid: process.pid },
  );
  const told: string[] = [];
  const { promise: isTold, resolve } = Promise.withResolvers<unknown>();
  const waiting = takeLock(instance, 'npm stop', (words) => {
    told.push(words);
    resolve(undefined);
  });
  await isTold;
  await first.release();
  const second = await waiting;
  assert.deepEqual(told, [`waiting for 'npm start' (pid ${process.pid})`]);
  assert.equal(lockHolder(instance)?.action, 'npm stop');
  await second.release();
});

test('of many at once exactly one gets it', async () => {
  const got = (await Promise.all(Array.from({ length: 20 }, () => tryLock(instance, 'x')))).filter(
    (lock) => lock !== undefined,
  );
  assert.equal(got.length, 1);
  await got[0]?.release();
});

test('a holder that is killed leaves nothing behind', async () => {
  const script = `import { tryLock } from './scripts/ops/stack/lock.ts';
    await tryLock({ dir: ${JSON.stringify(dir)} }, 'npm start'); console.log('mine'); setInterval(() => 0, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.equal(await tryLock(instance, 'npm stop'), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await takeLock(instance, 'npm stop', () => undefined);
  assert.equal(lockHolder(instance)?.pid, process.pid);
  await lock.release();
});
