// Figures of benchmarks against each other. No I/O.

/** A benchmark's last line. */
export type Figures = Readonly<Record<string, unknown>>;

/**
 * A figure of both versions, each the median of its rounds. `gains`: of each round, whose two runs met the machine in one mood;
 * above 1: the new version does better. `gain` is their median.
 */
export interface Compared {
  before: number;
  after: number;
  gain: number;
  gains: number[];
}

/** Names whose unit says that less is better; of figures with another name more is better or nothing is known. */
const isLess = (name: string) =>
  /(_ms|_us|_s|_mb|_bytes|_share)$|_(ms|us)_|cpu_us/.test(name) && !/per_s$/.test(name);
const isMore = (name: string) => /per_s/.test(name);

/** Compares the figures that both versions print and whose direction their unit tells, round by round. */
export function compareFigures(
  before: readonly Figures[],
  after: readonly Figures[],
): Record<string, Compared> {
  const compared: Record<string, Compared> = {};
  for (const name of Object.keys(after[0] ?? {})) {
    if (!isLess(name) && !isMore(name)) continue;
    const pairs = after.flatMap((round, index) => {
      const [old, now] = [before[index]?.[name], round[name]];
      return typeof old === 'number' && typeof now === 'number' && old > 0 && now > 0 ? [{ old, now }] : [];
    });
    if (pairs.length === 0) continue;
    const gains = pairs.map(({ old, now }) => rounded(isMore(name) ? now / old : old / now));
    compared[name] = {
      before: rounded(median(pairs.map(({ old }) => old))),
      after: rounded(median(pairs.map(({ now }) => now))),
      gain: rounded(median(gains)),
      gains,
    };
  }
  return compared;
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}
