// From single reads to animals at a stall: repeated reads, and two animals in one field. Pure.

/** Reads of one antenna within one settling time, in the order of the first read of each tag. */
export interface Field {
  reads: Map<string, number>;
  /** Moment of the first read, epoch ms. */
  at: number;
}

/** A tag to publish; `here` when it belongs to the antenna's stall beyond doubt. */
export interface Decision {
  tag: string;
  here: boolean;
}

/**
 * Which animal stands at the stall. With two tags in the field the one read at least three times as often as all others
 * is here, and the others are neighbours; without such a one nobody knows, and no milking is given to the wrong cow.
 */
export function decide(reads: ReadonlyMap<string, number>): Decision[] {
  const total = [...reads.values()].reduce((sum, count) => sum + count, 0);
  return [...reads].map(([tag, count]) => ({ tag, here: count >= 3 * (total - count) }));
}

/** Tags told lately: a cow that stands in the field is told once, and again when she comes back or stays very long. */
export interface Debounce {
  /** True when the tag is news. */
  isNews(tag: string, at: number): boolean;
}

/** `quietMs` without a read ends a visit; a visit longer than `longestMs` is told again. */
export function createDebounce(quietMs: number, longestMs: number): Debounce {
  const visits = new Map<string, { told: number; last: number }>();
  return {
    isNews: (tag, at) => {
      const visit = visits.get(tag);
      // A clock that was set back starts anew.
      const isSame =
        visit !== undefined && at >= visit.last && at - visit.last < quietMs && at - visit.told < longestMs;
      if (isSame) {
        visit.last = at;
        return false;
      }
      visits.set(tag, { told: at, last: at });
      for (const [other, { last }] of visits) if (at - last >= longestMs) visits.delete(other);
      return true;
    },
  };
}
