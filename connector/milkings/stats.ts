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

/** Adds values to the statistics. */
export function addPoints(stats: Stats, points: readonly StatPoint[]): Stats {
  if (points.length === 0) return stats;
  const next: Record<string, Stat> = { ...stats };
  for (const { metric, time, value } of points) {
    const stat = next[metric];
    next[metric] =
      stat === undefined
        ? { n: 1, sum: value, max: value, last: value, lastAt: time }
        : {
            n: stat.n + 1,
            sum: stat.sum + value,
            max: Math.max(stat.max, value),
            ...(time >= stat.lastAt
              ? { last: value, lastAt: time }
              : { last: stat.last, lastAt: stat.lastAt }),
          };
  }
  return next;
}

/** Replaces what is known of these metrics: a finished record states totals, so its newest version counts. */
export function replacePoints(stats: Stats, points: readonly StatPoint[]): Stats {
  const named = new Set(points.map((point) => point.metric));
  const kept = Object.fromEntries(Object.entries(stats).filter(([metric]) => !named.has(metric)));
  return addPoints(kept, points);
}

export const mean = (stat: Stat | undefined) => (stat === undefined ? undefined : stat.sum / stat.n);
