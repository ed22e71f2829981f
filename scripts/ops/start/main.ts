// npm start [-- --detach|--embedded|--real|--docker|--no-simulator ...] and npm stop.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringDown } from '../stack/client.ts';
import { dockerDown } from '../stack/docker/provider.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance, repoDir } from '../stack/instance.ts';
import { endProcess } from '../stack/process-id.ts';
import { openProgress } from '../stack/progress.ts';
import { showLive } from './live.ts';
import { parseOptions, type StartOptions } from './options.ts';
import { endOrphans, readRecord, removeRecord, runningSupervisor } from './record.ts';
import { supervise, type Supervision } from './supervisor.ts';
import { loginLines, milkingLine } from './view.ts';

const instance = openInstance('demo');
const say = (lines: string[]): void => console.log(lines.join('\n'));

const samePressMs = 1_000;

/** In the foreground, and as the background process of --detach, until a signal comes. */
async function run(options: StartOptions): Promise<void> {
  const ending = new AbortController();
  let askedAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait: services and children notice that we are gone and end themselves. But npm hands
      // on what the terminal has sent us already, so a second one at once is the same.
      const isSecond = signal === 'SIGINT' && Date.now() - askedAt > samePressMs;
      if (ending.signal.aborted && isSecond) process.exit(130);
      askedAt = ending.signal.aborted ? askedAt : Date.now();
      ending.abort(new Error('asked to stop'));
    });
  }
  const progress = openProgress();
  let lastMilking: string | undefined;
  let supervision: Supervision;
  try {
    supervision = await supervise({
      instance,
      options,
      report: progress.step,
      onTrouble: (message) => console.error('\n%s', message),
      onEvent: (event) => {
        if (event.type === 'milking') lastMilking = milkingLine(event.record);
      },
      signal: ending.signal,
    });
  } catch (error) {
    if (ending.signal.aborted) return;
    throw error;
  } finally {
    progress.close();
  }
  say(loginLines(supervision.env, instance.envFile));
  if (options.action === 'run') console.log('Ctrl-C stops everything.\n');
  await showLive(supervision.env, () => lastMilking, options.action === 'supervise', ending.signal);
  console.log('stopping');
  await supervision.stop();
}

/** Starts the same in the background and returns once the first milking is through. */
async function detach(args: string[]): Promise<void> {
  const logFile = join(instance.logDir, 'start.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [join(repoDir, 'scripts/ops/start/main.ts'), ...args, '--supervise'],
    {
      cwd: repoDir,
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  const life = { ended: false };
  child.once('exit', () => (life.ended = true));
  const progress = openProgress();
  try {
    let step = '';
    for (;;) {
      const record = runningSupervisor(instance);
      if (record !== undefined && record.supervisor.pid === child.pid) {
        if (record.step !== step) progress.step((step = record.step));
        if (record.phase === 'running') break;
      }
      if (life.ended) throw new Error(`the start failed: read the end of ${logFile}`);
      await sleep(100);
    }
  } finally {
    progress.close();
  }
  child.unref();
  say([...loginLines(readEnvFile(instance) ?? {}, instance.envFile), 'npm stop stops everything.']);
}

const supervisorGraceMs = 90_000;

async function stop(): Promise<void> {
  const supervisor = readRecord(instance)?.supervisor;
  if (supervisor !== undefined) await endProcess(supervisor, 'SIGTERM', supervisorGraceMs);
  const orphans = await endOrphans(instance);
  const services = (await dockerDown(instance, { withData: false })) || (await bringDown(instance));
  removeRecord(instance);
  console.log(supervisor !== undefined || orphans.length > 0 || services ? 'stopped' : 'nothing was running');
}

async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.action === 'stop') return stop();
  if (options.action !== 'supervise' && runningSupervisor(instance) !== undefined) {
    say([
      'It runs already.',
      ...loginLines(readEnvFile(instance) ?? {}, instance.envFile),
      'npm stop stops it.',
    ]);
    return;
  }
  return options.action === 'detach' ? detach(args) : run(options);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
