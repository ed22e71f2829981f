// A service: ready, stopped, and back again after it died by itself.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createService } from '../../../../scripts/ops/stack/service.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-service-'));
after(() => rmSync(dir, { recursive: true }));

test('it is running once ready, is brought back when killed, and stays away when stopped', async () => {
  const marker = join(dir, 'ready');
  const pids: number[] = [];
  const troubles: unknown[] = [];
  const service = createService({
    name: 'sleeper',
    command: ['sh', '-c', `touch ${marker}; exec sleep 60`],
    logFile: join(dir, 'sleeper.log'),
    stopSignal: 'SIGTERM',
    isReady: () => Promise.resolve(existsSync(marker)),
    onSpawn: (pid) => pids.push(pid),
    onTrouble: (message) => troubles.push(message),
  });
  await service.start();
  assert.equal(service.state(), 'running');

  rmSync(marker);
  process.kill(pids[0]!, 'SIGKILL');
  while (pids.length < 2 || service.state() !== 'running') await sleep(20);
  assert.equal(troubles.length, 1);
  assert.match(String(troubles[0]), /sleeper ended by itself/);

  await service.stop();
  assert.equal(service.state(), 'stopped');
  assert.throws(() => process.kill(pids[1]!, 0), { code: 'ESRCH' });
});

test('one that ends before it is ready is an error with what it said last', async () => {
  const logFile = join(dir, 'broken.log');
  const service = createService({
    name: 'broken',
    command: ['sh', '-c', 'echo no luck; exit 3'],
    logFile,
    stopSignal: 'SIGTERM',
    isReady: () => Promise.resolve(false),
  });
  await assert.rejects(service.start(), {
    message: `broken ended while it started:\n  no luck\n  log: ${logFile}`,
  });
  assert.match(readFileSync(logFile, 'utf8'), /no luck/);
  await service.stop();
});

test('a log that grew long goes aside when the service starts, and nothing else does', async () => {
  const logFile = join(dir, 'talker.log');
  const service = createService({
    name: 'talker',
    command: ['sh', '-c', 'echo started; exec sleep 60'],
    logFile,
    stopSignal: 'SIGTERM',
    isReady: () => Promise.resolve(readFileSync(logFile, 'utf8').endsWith('started\n')),
  });
  writeFileSync(logFile, 'before\n');
  await service.start();
  await service.stop();
  assert.equal(readFileSync(logFile, 'utf8'), 'before\nstarted\n');
  assert.equal(existsSync(`${logFile}.1`), false);

  truncateSync(logFile, 20_000_001);
  await service.start();
  await service.stop();
  assert.equal(readFileSync(logFile, 'utf8'), 'started\n');
  assert.equal(existsSync(`${logFile}.1`), true);
});

test('one whose place another program has taken is not running although that one answers', async () => {
  const service = createService({
    name: 'usurped',
    command: ['sh', '-c', 'echo Error: address already in use; exit 1'],
    logFile: join(dir, 'usurped.log'),
    stopSignal: 'SIGTERM',
    isReady: async () => {
      while (!readFileSync(join(dir, 'usurped.log'), 'utf8').includes('use')) await sleep(10);
      await sleep(200);
      return true;
    },
  });
  await assert.rejects(service.start(), /address already in use/);
  await service.stop();
});

test('one that is stopped while it starts is not started a second time', async () => {
  const pids: number[] = [];
  const service = createService({
    name: 'slow',
    command: ['sleep', '60'],
    logFile: join(dir, 'slow.log'),
    stopSignal: 'SIGTERM',
    isReady: () => Promise.resolve(false),
    onSpawn: (pid) => pids.push(pid),
  });
  const starting = assert.rejects(service.start(), /slow ended while it started/);
  while (pids.length === 0) await sleep(5);
  await service.stop();
  await starting;
  assert.equal(pids.length, 1);
});
