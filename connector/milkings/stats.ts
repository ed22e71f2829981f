// What is remembered of each metric of a milking: enough for totals, averages, peaks and last values, in any order of arrival.

/** Accumulated values of one metric. Times in epoch ms. */
export interface Stat {
  n: number;
  sum: number;
  max: number;
  last: number;
  lastAt: number;
}
export type Stats = Readonly<Record<string, Stat>>;

/** One value of a metric. */
export interface StatPoint {
  metric: string;
  time: number;
  value: number;
}

/** Another value of a moment that was counted already with `before`. */
export interface ReplacedPoint extends StatPoint {
  before: number;
}

/** A millionth: sums of such parts are exact, so that they are the same in any order. */
const parts = 1e6;
const exact = (value: number) => Math.round(value * parts) / parts;

/** Adds values to the statistics. Of two values of one moment the larger is the later one. */
export function addPoints(stats: Stats, points: readonly StatPoint[]): Stats {
  if (points.length === 0) return stats;
  const next: Record<string, Stat> = { ...stats };
  for (const { metric, time, value } of points) {
    const added = { n: 1, sum: exact(value), max: value, last: value, lastAt: time };
    const stat = next[metric];
    next[metric] = stat === undefined ? added : mergeStat(stat, added);
  }
  return next;
}

/** Counts of each moment the larger of two values instead of the one before. */
export function replaceSmaller(stats: Stats, points: readonly ReplacedPoint[]): Stats {
  const larger = points.filter(({ value, before }) => value > before);
  if (larger.length === 0) return stats;
  const next: Record<string, Stat> = { ...stats };
  for (const { metric, time, value, before } of larger) {
    const stat = next[metric];
    if (stat === undefined) continue;
    const added = { n: 0, sum: exact(value - before), max: value, last: value, lastAt: time };
    next[metric] = mergeStat(stat, added);
  }
  return next;
}

/** The statistics of two parts of a milking together. */
export function mergeStats(left: Stats, right: Stats): Stats {
  const next: Record<string, Stat> = { ...left };
  for (const [metric, stat] of Object.entries(right)) {
    const mine = next[metric];
    next[metric] = mine === undefined ? stat : mergeStat(mine, stat);
  }
  return next;
}

function mergeStat(left: Stat, right: Stat): Stat {
  const isLater = right.lastAt > left.lastAt || (right.lastAt === left.lastAt && right.last >= left.last);
  const { last, lastAt } = isLater ? right : left;
  return {
    n: left.n + right.n,
    sum: exact(left.sum + right.sum),
    max: Math.max(left.max, right.max),
    last,
    lastAt,
  };
}

export const mean = (stat: Stat | undefined) => (stat === undefined ? undefined : stat.sum / stat.n);

/** Yield so far (kg): the meter's own total, else the sum of its increments; 0 where it has said neither. */
export function yieldOf(stats: Stats): number {
  return stats['milk_yield']?.max ?? stats['milk_yield_increment']?.sum ?? 0;
}

/** Whether the meter has said how much milk there was, be it 0 kg. */
export const hasYield = (stats: Stats): boolean =>
  stats['milk_yield'] !== undefined || stats['milk_yield_increment'] !== undefined;
