// Figures of benchmarks against each other. No I/O.

/** A benchmark's last line. */
export type Figures = Readonly<Record<string, unknown>>;

/** A figure of both versions, each the best of its rounds; `gain` above 1: the new version does better. */
export interface Compared {
  before: number;
  after: number;
  gain: number;
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
    const [old, now] = [bestOf(before, name), bestOf(after, name)];
    if (old === undefined || now === undefined || old <= 0 || now <= 0) continue;
    const gain = isMore(name) ? now / old : old / now;
    compared[name] = { before: old, after: now, gain: Math.round(gain * 1_000) / 1_000 };
  }
  return compared;
}

function bestOf(rounds: readonly Figures[], name: string): number | undefined {
  const values = rounds.map((round) => round[name]).filter((value) => typeof value === 'number');
  if (values.length === 0) return undefined;
  return isMore(name) ? Math.max(...values) : Math.min(...values);
}
