// Process identity: a process is itself only with its start time, so a reused pid is a stranger.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  endProcess,
  formatProcessId,
  identify,
  identifySelf,
  isAlive,
  parseProcessId,
} from '../../../../scripts/ops/stack/process-id.ts';

test('we know ourselves', () => {
  assert.deepEqual(identifySelf(), identify(process.pid));
  assert.equal(isAlive(identifySelf()), true);
});

test('an identity survives the command line', () => {
  assert.deepEqual(parseProcessId(formatProcessId(identifySelf())), identifySelf());
  assert.throws(() => parseProcessId('nonsense'), /no process id/);
});

test('a stranger with the same pid is left alone', async () => {
  const child = spawn('sleep', ['60']);
  const id = identify(child.pid!);
  assert.ok(id !== undefined);
  const former = { pid: id.pid, started: 'another-boot:1' };
  assert.equal(isAlive(former), false);
  await endProcess(former, 'SIGKILL', 0);
  assert.equal(isAlive(id), true);
  const ended = once(child, 'exit');
  await endProcess(id, 'SIGTERM', 5_000);
  await ended;
  assert.equal(isAlive(id), false);
});

test('one that ignores the polite signal is killed', async () => {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done']);
  await once(child.stdout, 'data');
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  await endProcess(identify(child.pid!)!, 'SIGTERM', 200);
  assert.equal((await ended)[1], 'SIGKILL');
});
