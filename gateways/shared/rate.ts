// A rate that is kept: so many a second, and no burst after a pause.

/** Takes one now and answers 0, or takes none and answers the milliseconds until it is worth asking again. */
export type Rate = () => number;

/** At most `perS` a second; 0 is without limit. */
export function createRate(perS: number): Rate {
  let budget = 1;
  let budgetAt = performance.now();
  return () => {
    if (perS === 0) return 0;
    const now = performance.now();
    // At most a tenth of a second's worth at once.
    const most = Math.max(1, perS / 10);
    budget = Math.min(most, budget + ((now - budgetAt) / 1000) * perS);
    budgetAt = now;
    if (budget < 1) return Math.max(5, ((1 - budget) / perS) * 1000);
    budget--;
    return 0;
  };
}
