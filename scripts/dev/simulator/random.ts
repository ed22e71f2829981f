// Repeatable random numbers: the same seed always milks the same farm.

/** A stream of numbers in [0, 1). */
export type Random = () => number;

/** mulberry32, started from any number of integers. */
export function createRandom(...seeds: readonly number[]): Random {
  let state = seeds.reduce((hash, seed) => Math.imul(hash ^ seed, 0x9e3779b1) ^ (hash >>> 15), 0x811c9dc5);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Uniform between two numbers. */
export const between = (random: Random, low: number, high: number) => low + (high - low) * random();

/** About normal with mean 0 and deviation 1: the sum of twelve, never beyond ±6. */
export function normal(random: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** Rounded to `digits` decimals, as a meter shows it. */
export const roundTo = (value: number, digits: number) => Number(value.toFixed(digits));
