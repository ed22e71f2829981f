// The supervisor's part about the services: starts them in the right mode, and again should they all die at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../contract/errors.ts';
import { bringDown, bringUp, endForsakenDaemon, runningDaemon } from '../stack/client.ts';
import { decideMode } from '../stack/choose.ts';
import { dockerDown, dockerUp } from '../stack/docker/provider.ts';
import type { Instance, Mode, Report } from '../stack/types.ts';
import type { StartOptions } from './options.ts';

/** Undoes one thing that was started. */
export type Ending = () => unknown;

interface StackStart {
  instance: Instance;
  options: StartOptions;
  report: Report;
  endings: Ending[];
  signal: AbortSignal;
}

/** Brings the services up, in Docker with connector and gateway too. Returns the mode. */
export async function startStack({ instance, options, report, endings, signal }: StackStart): Promise<Mode> {
  const { modeArgs, withSimulator } = options;
  await endForsakenDaemon(instance);
  const running = modeArgs.length === 0 ? runningDaemon(instance) : undefined;
  const choice =
    running === undefined
      ? await decideMode(modeArgs)
      : { mode: running.mode, why: 'its services run already' };
  report(`mode ${choice.mode}: ${choice.why}`);
  if (choice.mode === 'docker') {
    endings.push(() => dockerDown(instance, { withData: false }));
    await dockerUp(instance, report, { withPrograms: true, withSimulator });
  } else {
    endings.push(() => bringDown(instance));
    await bringUp({ instance, mode: choice.mode, report, tied: true, signal });
  }
  return choice.mode;
}

const lookMs = 1_000;
const longestPauseMs = 60_000;

/**
 * Their daemon restarts each service that dies. Should the daemon itself be killed, this starts all of them again, on
 * the same ports, as connector and gateway wait for them there. Returns what ends the watch.
 */
export function watchServices(
  instance: Instance,
  mode: Exclude<Mode, 'docker'>,
  onTrouble: (message: unknown) => void,
): Ending {
  const ending = new AbortController();
  const { signal } = ending;
  const watch = async (): Promise<void> => {
    let pauseMs = lookMs;
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal, ref: false });
      if (runningDaemon(instance) !== undefined) {
        pauseMs = lookMs;
        continue;
      }
      onTrouble('the services were killed; starting them again');
      const report: Report = () => signal.throwIfAborted();
      await bringUp({ instance, mode, report, tied: true, keepPorts: true }).catch((error: unknown) =>
        onTrouble(messageOf(error)),
      );
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!signal.aborted) onTrouble(messageOf(error));
  });
  return () => {
    ending.abort();
    return watching;
  };
}
