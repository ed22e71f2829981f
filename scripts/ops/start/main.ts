// npm start [-- --detach|--embedded|--real|--docker|--no-simulator ...] and npm stop.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../../contract/runtime/command-line.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance, repoDir } from '../stack/instance.ts';
import { logEnd, withLastWords } from '../stack/last-words.ts';
import { describeHolder, lockHolder, takeLock, tryLock, type Lock } from '../stack/lock.ts';
import { withProgress } from '../stack/progress.ts';
import type { Instance, Report } from '../stack/types.ts';
import { lookAtConnector } from './connector-api.ts';
import { endAll, lockToEnd } from './end.ts';
import { followStart, type Started } from './follow.ts';
import { showLive } from './live.ts';
import { parseOptions, usage, type StartOptions } from './options.ts';
import { readRecord, runningSupervisor, startAction } from './record.ts';
import { supervise, type Supervision } from './supervisor.ts';
import { loginLines, milkingLine } from './view.ts';

const say = (lines: readonly string[]): void => console.log(lines.join('\n'));

/** Addresses, and what is not well with Odoo: the start does not wait for it. */
async function sayWhereItIs(instance: Instance, ...more: string[]): Promise<void> {
  const env = readEnvFile(instance) ?? {};
  say([...loginLines(env, instance.envFile, await lookAtConnector(env)), ...more]);
}

/** The lock of a start, or undefined when there is nothing to start: it runs, or another start has brought it up. */
async function lockToStart(
  instance: Instance,
  report: Report,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  const lock = await tryLock(instance, startAction);
  const holder = lock === undefined ? lockHolder(instance) : undefined;
  if (holder?.action === startAction) {
    report(`another start is under way: ${describeHolder(holder)}`);
    const isOver = () => lockHolder(instance)?.pid !== holder.pid;
    const started = await followStart(instance, isOver, report, signal);
    if (started.phase === 'running') return undefined;
    throw new Error(started.failure ?? 'the other start was ended');
  }
  const taken = lock ?? (await takeLock(instance, startAction, report, signal));
  if (runningSupervisor(instance) === undefined) return taken;
  await taken.release();
  return undefined;
}

const samePressMs = 1_000;

/** Fires at the first signal that asks to stop. A second Ctrl-C does not wait. */
function endingSignal(): AbortSignal {
  const ending = new AbortController();
  let askedAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Services and children notice that we are gone and end themselves. But npm hands on what the terminal has sent us
      // already, so a second one at once is the same.
      const isSecond = signal === 'SIGINT' && Date.now() - askedAt > samePressMs;
      if (ending.signal.aborted && isSecond) process.exit(130);
      askedAt = ending.signal.aborted ? askedAt : Date.now();
      ending.abort(new Error('asked to stop'));
    });
  }
  return ending.signal;
}

/** In the foreground, and as the background process of --detach, until a signal comes. */
async function run(instance: Instance, options: StartOptions): Promise<void> {
  const signal = endingSignal();
  let lastMilking: string | undefined;
  const start = async (report: Report): Promise<Supervision | undefined> => {
    const lock = await lockToStart(instance, report, signal);
    if (lock === undefined) return undefined;
    try {
      return await supervise({
        instance,
        options,
        report,
        onTrouble: (message) => console.error('\n%s', message),
        onEvent: (event) => {
          if (event.type === 'milking') lastMilking = milkingLine(event.record);
        },
        signal,
      });
    } finally {
      await lock.release();
    }
  };
  let supervision: Supervision | undefined;
  try {
    supervision = await withProgress(start);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (supervision === undefined) {
    console.log('It runs already.');
    return sayWhereItIs(instance, 'npm stop stops it.');
  }
  await sayWhereItIs(instance, ...(options.action === 'run' ? ['Ctrl-C stops everything.', ''] : []));
  await showLive(
    { env: supervision.env, folders: [instance.dir], isBackground: options.action === 'supervise' },
    () => lastMilking,
    signal,
  );
  console.log('stopping');
  await supervision.stop();
}

/** Starts the same in the background and returns once a milking is stored. */
async function detach(instance: Instance, args: readonly string[]): Promise<void> {
  const logFile = join(instance.logDir, 'start.log');
  const logFrom = logEnd(logFile);
  const child = spawnSupervisor(args, logFile);
  const life = { ended: false };
  child.once('exit', () => (life.ended = true));
  const started = await withProgress(async (report) => {
    const result = await followStart(instance, () => life.ended, report);
    if (result.phase === 'running') return result;
    throw new Error(
      failureOf(instance, result, child, () => withLastWords('the start failed', logFile, logFrom)),
    );
  });
  child.unref();
  if (started.pid !== child.pid) console.log('It runs already.');
  await sayWhereItIs(instance, 'npm stop stops everything.');
}

function spawnSupervisor(args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(process.execPath, [join(repoDir, 'scripts/ops/start/main.ts'), ...args, '--supervise'], {
      cwd: repoDir,
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** In its own words, where it could write them down. */
function failureOf(instance: Instance, result: Started, child: ChildProcess, fromLog: () => string): string {
  const record = readRecord(instance);
  if (record?.phase === 'failed' && record.supervisor.pid === child.pid) return record.step;
  return result.failure ?? fromLog();
}

async function stop(instance: Instance): Promise<void> {
  const lock = await lockToEnd(instance, 'npm stop', console.log);
  try {
    console.log((await endAll(instance, { withData: false })) ? 'stopped' : 'nothing was running');
  } finally {
    await lock.release();
  }
}

await runCommand(usage, (args) => {
  const options = parseOptions(args);
  const instance = openInstance('demo');
  if (options.action === 'stop') return stop(instance);
  return options.action === 'detach' ? detach(instance, args) : run(instance, options);
});
