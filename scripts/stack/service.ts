// Runs one service as a child process: waits until it answers, restarts it when it dies, stops it on request.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedService, ServiceState } from './types.ts';

export interface ServiceSpec {
  name: string;
  /** Program and arguments. */
  command: [string, ...string[]];
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  cwd?: string;
  logFile: string;
  /** The signal that asks for a clean end. */
  stopSignal: NodeJS.Signals;
  /** True once it can be used. */
  isReady: () => Promise<boolean>;
  onSpawn?: (pid: number) => void;
}

const readyTimeoutMs = 120_000;
const stopGraceMs = 20_000;
const longestPauseMs = 30_000;

/** A service that is not started yet. `start` and `stop` can be called again and again, in turn. */
export function createService(spec: ServiceSpec): ManagedService {
  let child: ChildProcess | undefined;
  let state: ServiceState = 'stopped';
  let wanted = false;
  let pauseMs = 1_000;

  function launch(): ChildProcess {
    const log = openSync(spec.logFile, 'a', 0o600);
    const [program, ...args] = spec.command;
    const started = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...spec.env },
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    });
    closeSync(log);
    if (started.pid !== undefined) spec.onSpawn?.(started.pid);
    started.once('error', (error) => console.error(`${spec.name}: cannot start: ${error.message}`));
    started.once('close', () => {
      if (child === started) child = undefined;
      if (!wanted || state !== 'running') return;
      state = 'crashed';
      console.error(
        `${spec.name} ended by itself; starting it again in ${pauseMs / 1000} s, see ${spec.logFile}`,
      );
      setTimeout(() => {
        if (wanted && child === undefined)
          void start().catch((error: unknown) => console.error(String(error)));
      }, pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    });
    return started;
  }

  async function start(): Promise<void> {
    if (child !== undefined) return;
    wanted = true;
    state = 'starting';
    child = launch();
    const deadline = Date.now() + readyTimeoutMs;
    while (!(await spec.isReady())) {
      // `as`: the close handler may have cleared it meanwhile, which the type checker cannot see.
      if ((child as ChildProcess | undefined) === undefined) {
        state = 'crashed';
        throw new Error(`${spec.name} ended while it started: read ${spec.logFile}`);
      }
      if (Date.now() > deadline) {
        throw new Error(
          `${spec.name} did not answer within ${readyTimeoutMs / 1000} s: read ${spec.logFile}`,
        );
      }
      await sleep(100);
    }
    state = 'running';
  }

  async function stop(): Promise<void> {
    wanted = false;
    const running = child;
    if (running !== undefined) {
      const ended = new Promise<void>((done) => running.once('close', () => done()));
      running.kill(spec.stopSignal);
      const hard = setTimeout(() => running.kill('SIGKILL'), stopGraceMs);
      await ended;
      clearTimeout(hard);
    }
    state = 'stopped';
  }

  return { name: spec.name, state: () => state, start, stop };
}
