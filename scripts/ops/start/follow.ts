// Watches a start that another process makes, by what its supervisor writes down.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance, Report } from '../stack/types.ts';
import { readRecord, runningSupervisor } from './record.ts';

/** How a start has ended. */
export interface Started {
  phase: 'running' | 'failed';
  pid?: number;
  /** In words, where the supervisor could write them down. */
  failure?: string;
}

const lookMs = 100;

/** Reports the steps of the start that is under way until it runs or `isOver` says that nobody starts any more. */
export async function followStart(
  instance: Instance,
  isOver: () => boolean,
  report: Report,
  signal?: AbortSignal,
): Promise<Started> {
  let step = 'starting';
  let pid: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    // Asked before the look: what a supervisor wrote last is still seen.
    const over = isOver();
    const record = runningSupervisor(instance);
    if (record !== undefined) pid = record.supervisor.pid;
    if (record !== undefined && record.phase !== 'failed') {
      if (record.phase === 'running') return { phase: 'running', pid: record.supervisor.pid };
      if (record.step !== step) report((step = record.step));
    } else if (over) {
      const last = readRecord(instance);
      const failed = last?.phase === 'failed' && last.supervisor.pid === pid ? last.step : undefined;
      return { phase: 'failed', ...(failed === undefined ? {} : { failure: failed }) };
    }
    await sleep(lookMs);
  }
}
