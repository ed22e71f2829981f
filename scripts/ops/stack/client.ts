// Brings an instance's services up and down from outside, and follows what their daemon says.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from './control.ts';
import type { DaemonRecord, StackState } from './daemon.ts';
import { readJson, repoDir } from './instance.ts';
import { logEnd, withLastWords } from './last-words.ts';
import { endProcess, formatProcessId, identifySelf, isAlive } from './process-id.ts';
import { endEmbeddedOrphan } from './embedded/orphan.ts';
import { ensureRoot, namespaceCommand } from './real/root.ts';
import { onOtherPorts, prepareSettings } from './settings.ts';
import type { Instance, Mode, Report } from './types.ts';

/** The instance's daemon if it runs. */
export function runningDaemon(instance: Instance): DaemonRecord | undefined {
  const record = readJson(instance.daemonFile) as DaemonRecord | undefined;
  return record !== undefined && isAlive(record) ? record : undefined;
}

export const readState = (instance: Instance): StackState | undefined =>
  readJson(instance.stateFile) as StackState | undefined;

interface UpOptions {
  instance: Instance;
  mode: Exclude<Mode, 'docker'>;
  report: Report;
  /** The services end when this process ends, however it ends. */
  tied: boolean;
  /** The remembered ports stay although some are in use, by programs of ours that wait for the services. */
  keepPorts?: boolean;
  /** Ends what is under way before the services start: the building of the private root. */
  signal?: AbortSignal;
}

/** Brings the services up, or does nothing when they are. Throws with the reason when that fails. */
export async function bringUp({
  instance,
  mode,
  report,
  tied,
  keepPorts = false,
  signal,
}: UpOptions): Promise<StackState> {
  await endForsakenDaemon(instance);
  const running = runningDaemon(instance);
  if (running !== undefined && running.mode !== mode) {
    throw new Error(`the ${instance.name} stack already runs in mode ${running.mode}: stop it first`);
  }
  if (running === undefined) {
    await endEmbeddedOrphan(instance);
    if (mode === 'real') await ensureRoot(report, signal);
    const start = () => startDaemon({ instance, mode, report, tied, keepPorts });
    // With ports that have to stay another program's port is an error.
    return keepPorts ? start() : onOtherPorts(instance, start, report, signal);
  }
  return waitUntilUp(instance, report, 0);
}

type DaemonStart = Required<Pick<UpOptions, 'instance' | 'mode' | 'report' | 'tied' | 'keepPorts'>>;

async function startDaemon({ instance, mode, report, tied, keepPorts }: DaemonStart): Promise<StackState> {
  await prepareSettings(instance, { keepPorts });
  const from = logEnd(stackLog(instance));
  try {
    await launch(instance, mode, tied, from);
    return await waitUntilUp(instance, report, from);
  } catch (error) {
    // It says why before it has ended its services.
    while (runningDaemon(instance) !== undefined) await sleep(50);
    throw error;
  }
}

const stackLog = (instance: Instance): string => join(instance.logDir, 'stack.log');

async function launch(
  instance: Instance,
  mode: UpOptions['mode'],
  tied: boolean,
  logFrom: number,
): Promise<void> {
  const namespace = mode === 'real' ? namespaceCommand : [];
  const daemon = [process.execPath, join(repoDir, 'scripts/ops/stack/main.ts'), 'daemon', `--${mode}`];
  const options = [
    '--instance',
    instance.name,
    ...(tied ? ['--owner', formatProcessId(identifySelf())] : []),
  ];
  const [program = '', ...args] = [...namespace, ...daemon, ...options];
  const log = openSync(stackLog(instance), 'a', 0o600);
  const child = spawn(program, args, {
    cwd: repoDir,
    detached: true,
    stdio: [tied ? 'pipe' : 'ignore', log, log],
  });
  closeSync(log);
  await recordOf(instance, child, logFrom);
  child.unref();
}

/** Waits until the daemon has taken over, so that no later look mistakes an old record for it. */
async function recordOf(instance: Instance, child: ChildProcess, logFrom: number): Promise<void> {
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => (failure = `exit code ${code ?? 'none'}`));
  while (runningDaemon(instance) === undefined) {
    if (failure !== undefined) {
      throw new Error(withLastWords(`the services cannot start (${failure})`, stackLog(instance), logFrom));
    }
    await sleep(20);
  }
}

async function waitUntilUp(instance: Instance, report: Report, logFrom: number): Promise<StackState> {
  let step = 'starting';
  for (;;) {
    const alive = runningDaemon(instance) !== undefined;
    const state = readState(instance);
    if (state?.phase === 'failed') throw new Error(state.step);
    if (!alive)
      throw new Error(withLastWords('the services ended while they started', stackLog(instance), logFrom));
    if (state?.phase === 'up') return state;
    if (state !== undefined && state.step !== step) report((step = state.step));
    await sleep(100);
  }
}

const stopGraceMs = 60_000;

/** A daemon whose owner was killed is about to end: waits for that. */
export async function endForsakenDaemon(instance: Instance): Promise<void> {
  const running = runningDaemon(instance);
  if (running?.owner !== undefined && !isAlive(running.owner))
    await endProcess(running, 'SIGTERM', stopGraceMs);
}

/** Stops the services if they run, and any that a killed daemon left behind. True when something was stopped. */
export async function bringDown(instance: Instance): Promise<boolean> {
  const running = runningDaemon(instance);
  if (running !== undefined) await endProcess(running, 'SIGTERM', stopGraceMs);
  const orphan = await endEmbeddedOrphan(instance);
  return running !== undefined || orphan;
}

/** Starts or stops one service of a running instance. */
export function controlService(instance: Instance, what: 'start' | 'stop', service: string): Promise<void> {
  if (runningDaemon(instance) === undefined) throw new Error(`the ${instance.name} stack does not run`);
  return askDaemon(instance.socket, { do: what, service });
}
