// Exponential back-off with jitter.

/** Wait before try `failures` + 1: doubles from `baseMs` up to `maxMs`, then jittered down by up to a quarter. */
export function backoffMs(failures: number, baseMs: number, maxMs: number, random = Math.random): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 20));
  return full * (1 - random() / 4);
}
