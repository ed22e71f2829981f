// Runs one service as a child process: waits until it answers, restarts it when it dies, stops it on request.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { logEnd, withLastWords } from './last-words.ts';
import type { ManagedService, ServiceState } from './types.ts';

export interface ServiceSpec {
  name: string;
  /** Program and arguments. */
  command: [string, ...string[]];
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  cwd?: string;
  /** A session of its own, so that Ctrl-C on the terminal reaches us alone and we decide the order. */
  detached?: boolean;
  logFile: string;
  /** The signal that asks for a clean end. */
  stopSignal: NodeJS.Signals;
  /** True once it can be used. */
  isReady: () => Promise<boolean>;
  onSpawn?: (pid: number) => void;
  /** Hears when it died by itself and what follows. Default: standard error. */
  onTrouble?: (message: unknown) => void;
}

const readyTimeoutMs = 120_000;
const stopGraceMs = 20_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** A service that is not started yet. `start` and `stop` can be called again and again, in turn. */
export function createService(spec: ServiceSpec): ManagedService {
  const complain = spec.onTrouble ?? console.error;
  // In an object, because callbacks change it while others wait.
  const running: { child?: ChildProcess } = {};
  let state: ServiceState = 'stopped';
  let wanted = false;
  let pauseMs = firstPauseMs;
  let saidFrom = 0;
  const explain = (text: string): string => withLastWords(`${spec.name} ${text}`, spec.logFile, saidFrom);

  function launch(): ChildProcess {
    const started = spawnService(spec, (logBytes) => (saidFrom = logBytes));
    started.once('error', (error) => complain(`${spec.name} cannot start: ${error.message}`));
    started.once('close', () => {
      if (running.child === started) delete running.child;
      if (!wanted || state !== 'running') return;
      state = 'crashed';
      bringBack().catch(complain);
    });
    return started;
  }

  async function bringBack(): Promise<void> {
    do {
      complain(explain(`ended by itself; starting it again in ${pauseMs / 1000} s`));
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    } while (!(await comesBack()));
  }

  /** True when nothing is left to do: it runs again, or is no longer wanted. */
  async function comesBack(): Promise<boolean> {
    if (!wanted) return true;
    try {
      await startOnce();
      return true;
    } catch {
      return false;
    }
  }

  async function startOnce(): Promise<void> {
    state = 'starting';
    const started = launch();
    running.child = started;
    const isGone = (): boolean => running.child !== started;
    const deadline = Date.now() + readyTimeoutMs;
    for (;;) {
      const isReady = await spec.isReady();
      // Another program may answer in its place, on a port that ours did not get.
      if (isGone()) {
        state = 'crashed';
        throw new Error(explain('ended while it started'));
      }
      if (isReady) break;
      if (Date.now() > deadline) {
        throw new Error(explain(`did not answer in ${readyTimeoutMs / 1000} s`));
      }
      await sleep(100);
    }
    state = 'running';
    // One that keeps running for a while has earned a quick restart.
    setTimeout(() => {
      if (running.child === started) pauseMs = firstPauseMs;
    }, longestPauseMs).unref();
  }

  const isWanted = (): boolean => wanted;

  async function start(): Promise<void> {
    wanted = true;
    if (running.child !== undefined) return;
    try {
      await startOnce();
    } catch (error) {
      // Seen with Mosquitto, one start in some dozens: a port that was free a moment ago is in use, and free again.
      if (state !== 'crashed') throw error;
      await sleep(firstPauseMs);
      // Stopped meanwhile: a second try would outlive everything.
      if (!isWanted()) throw error;
      await startOnce();
    }
  }

  async function stop(): Promise<void> {
    wanted = false;
    const { child } = running;
    if (child !== undefined) {
      const ended = new Promise<void>((done) => child.once('close', () => done()));
      child.kill(spec.stopSignal);
      const hard = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
      await ended;
      clearTimeout(hard);
    }
    state = 'stopped';
  }

  return { name: spec.name, state: () => state, start, stop };
}

/** A log that is longer when its service starts goes aside as FILE.1, in place of the one before. */
const longLogBytes = 20_000_000;

function spawnService(spec: ServiceSpec, onLog: (bytes: number) => void): ChildProcess {
  const [program, ...args] = spec.command;
  if (logEnd(spec.logFile) > longLogBytes) renameSync(spec.logFile, `${spec.logFile}.1`);
  onLog(logEnd(spec.logFile));
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...spec.env },
      detached: spec.detached === true,
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    });
    if (child.pid !== undefined) spec.onSpawn?.(child.pid);
    return child;
  } finally {
    closeSync(log);
  }
}
