// Runs the node:test files: all at once as far as the cores allow, then those that stop services, one at a time.
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { repoDir } from '../../ops/stack/instance.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Reason → how many tests. */
  skipReasons: Map<string, number>;
}

export const noCounts = (): Counts => ({ passed: 0, failed: 0, skipped: 0, skipReasons: new Map() });

export function addCounts(into: Counts, more: Counts): void {
  into.passed += more.passed;
  into.failed += more.failed;
  into.skipped += more.skipped;
  for (const [reason, count] of more.skipReasons) {
    into.skipReasons.set(reason, (into.skipReasons.get(reason) ?? 0) + count);
  }
}

/** Test files of the repository, those that stop services apart. */
export function findTests(isWanted: (path: string) => boolean): { parallel: string[]; fault: string[] } {
  const files = globSync('test/**/*.test.ts', { cwd: repoDir }).filter(isWanted).sort();
  const isFault = (file: string): boolean => file.endsWith('.fault.test.ts');
  return { parallel: files.filter((file) => !isFault(file)), fault: files.filter(isFault) };
}

/** Only ends what hangs for ever, so that CI gets to the summary. */
const fileTimeoutMs = 10 * 60_000;

/** Runs the files, each in a process of its own, with the environment of this process; reports to standard output. */
export async function runTests(files: string[], isAlone: boolean, signal: AbortSignal): Promise<Counts> {
  const counts = noCounts();
  if (files.length === 0) return counts;
  // A core more than there is: integration tests mostly wait.
  const concurrency = isAlone ? 1 : availableParallelism() + 1;
  const stream = run({ files, cwd: repoDir, concurrency, timeout: fileTimeoutMs, signal });
  stream.on('test:pass', ({ skip }) => {
    if (skip === undefined || skip === false) return;
    const reason = typeof skip === 'string' ? skip : 'no reason given';
    counts.skipReasons.set(reason, (counts.skipReasons.get(reason) ?? 0) + 1);
  });
  stream.on('test:summary', ({ file, counts: seen }) => {
    if (file !== undefined) return;
    counts.passed += seen.passed;
    counts.failed += seen.tests - seen.passed - seen.skipped - seen.todo;
    counts.skipped += seen.skipped + seen.todo;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(String(text));
  return counts;
}
