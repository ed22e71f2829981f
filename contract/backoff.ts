// How long to wait before the next attempt: the one rule for everything that tries again.

/** Waiting times grow from `baseMs` by doubling up to `capMs`. */
export interface Backoff {
  baseMs: number;
  capMs: number;
}

/**
 * The wait after the n-th failure in a row (n ≥ 1), in milliseconds: between half of the full step and all of it, so that
 * many that wait do not come back in the same instant. `random` is in [0, 1); pure logic brings its own.
 */
export function backoffMs(failures: number, { baseMs, capMs }: Backoff, random = Math.random()): number {
  // 2^31 is beyond every cap; a larger exponent would only reach Infinity.
  const step = Math.min(capMs, baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 31));
  return Math.round(step / 2 + (step / 2) * random);
}
