// The Kafka of a test run ends with the run, however that ends. A sleeping program stands for it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTied } from '../../../../scripts/ops/kafka/tied.ts';
import { eventually } from '../../../support/connector.ts';

const newFolder = () => mkdtempSync(join(tmpdir(), 'smart-dairy-tied-'));
const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    // One that is dead and that nobody has asked for yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const pidIn = async (folder: string) => {
  let pid = 0;
  await eventually('the program runs', () => {
    pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    return Promise.resolve(pid > 0 && lives(pid));
  });
  return pid;
};

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const)
  test(`its owner ended by ${signal}: the program ends, and its folder goes`, async () => {
    const folder = newFolder();
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'owner-process.ts'), folder], {
      stdio: 'inherit',
    });
    const pid = await pidIn(folder);
    owner.kill(signal);
    await once(owner, 'exit');
    await eventually('the program has ended', () => Promise.resolve(!lives(pid)));
    await eventually('the folder is gone', () => Promise.resolve(!existsSync(folder)));
  });

test('stopped it ends, and its owner removes the folder; one that ended by itself gives its exit code', async () => {
  const folder = newFolder();
  const log = openSync(join(folder, 'log'), 'a');
  const program = startTied(['sh', '-c', 'echo $$ > "$0/pid"; exec sleep 1000', folder], folder, log);
  const pid = await pidIn(folder);
  await program.stop();
  await eventually('the program has ended', () => Promise.resolve(!lives(pid)));
  await program.stop();

  const { child } = startTied(['sh', '-c', 'echo said; exit 3'], folder, log);
  await once(child, 'exit');
  assert.equal(child.exitCode, 3);
  assert.match(readFileSync(join(folder, 'log'), 'utf8'), /said/);
  rmSync(folder, { recursive: true });
});
