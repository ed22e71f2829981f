// A unit's circuit breaker: a dead unit costs its bus one short try now and then instead of a full timeout at every poll. Pure.
import { backoffMs } from '../../contract/backoff.ts';

export interface Breaker {
  /** Tries that failed in a row. */
  failures: number;
  /** Slowest answer of late, milliseconds; undefined until it has answered once. */
  slowestMs: number | undefined;
}

/** Failures in a row after which the unit counts as dead. */
export const openAfter = 3;
/** While dead, every so many tries are patient: a unit may have become slower than it was. */
const patientEvery = 4;

export const newBreaker = (): Breaker => ({ failures: 0, slowestMs: undefined });

export const isOpen = ({ failures }: Breaker): boolean => failures >= openAfter;

/** After an answer that took `tookMs`. */
export function succeeded({ slowestMs }: Breaker, tookMs: number): Breaker {
  // Forgets slowly, so that one slow answer is allowed for during the next hundred.
  return { failures: 0, slowestMs: Math.max(tookMs, (slowestMs ?? 0) * 0.99) };
}

/** After no answer. */
export function failed(breaker: Breaker): Breaker {
  return { ...breaker, failures: breaker.failures + 1 };
}

/** How long to wait for the next answer, of at most `timeoutMs`. */
export function patienceMs({ failures, slowestMs }: Breaker, timeoutMs: number): number {
  if (failures < openAfter || failures % patientEvery === 0) return timeoutMs;
  return Math.min(timeoutMs, Math.max(50, 4 * (slowestMs ?? timeoutMs / 5)));
}

/** How long to leave the unit alone before the next try. */
export function pauseMs({ failures }: Breaker, intervalMs: number, retryMaxMs: number): number {
  const waits = { baseMs: intervalMs, capMs: Math.max(intervalMs, retryMaxMs) };
  return failures === 0 ? 0 : backoffMs(failures, waits);
}
