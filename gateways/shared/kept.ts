// Messages that the broker has acknowledged, kept for a while: a broker that is killed forgets what it had not saved yet.
export interface Kept {
  add(id: number): void;
  /** Takes out those that the broker has had for long enough. */
  takeSafe(): number[];
  /** Takes out all: the connection was lost, and with it perhaps what the broker had not saved. */
  takeAll(): number[];
  count(): number;
}

/** Keeps each for `keepMs`. `now` counts milliseconds. */
export function createKept(keepMs: number, now: () => number = () => performance.now()): Kept {
  let kept: { id: number; at: number }[] = [];
  return {
    add: (id) => void kept.push({ id, at: now() }),
    takeSafe: () => {
      const before = now() - keepMs;
      const index = kept.findIndex(({ at }) => at > before);
      return kept.splice(0, index === -1 ? kept.length : index).map(({ id }) => id);
    },
    takeAll: () => {
      const all = kept.map(({ id }) => id);
      kept = [];
      return all;
    },
    count: () => kept.length,
  };
}
