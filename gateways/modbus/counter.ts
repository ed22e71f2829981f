// Counters that start again at 0: what is published goes on. Pure.

/** What is remembered of one counter: the last raw value and what roll-overs have added so far. */
export interface CounterMemory {
  last: number;
  base: number;
}

/**
 * The next step of a counter that starts again at `modulus`. From the upper half to the lower half is a roll-over; any
 * other step back is a meter that was reset or replaced, and starts anew.
 */
export function unrollCounter(
  previous: CounterMemory | undefined,
  raw: number,
  modulus: number,
): CounterMemory {
  if (previous === undefined) return { last: raw, base: 0 };
  if (raw >= previous.last) return { last: raw, base: previous.base };
  const isRollOver = previous.last >= modulus / 2 && raw < modulus / 2;
  return { last: raw, base: isRollOver ? previous.base + modulus : 0 };
}
