// The end of a process that a test needs no more.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const patienceMs = 30_000;

/** Kills it. Under `npm run coverage` it may end in order, as a killed process does not say what it ran. */
export async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const isCovered = process.env['NODE_V8_COVERAGE'] !== undefined;
  const exited = once(child, 'exit');
  child.kill(isCovered ? 'SIGTERM' : 'SIGKILL');
  const hard = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(hard);
}
