// How many records a call of a kind has: halved where a call is too much, doubled where it goes well, and what was too much is remembered.

/** The size of a kind's next batch: one for all of its lanes, which go through the same proxy. */
export interface BatchSize {
  current(): number;
  /** A call of so many records went well; fewer than the current size prove nothing. */
  onSuccess(records: number): void;
  /** A call of so many records was too much, for Odoo or a proxy before it. */
  onTooMuch(records: number): void;
}

/** Calls that go well before what was too much is tried again: somebody may have raised the proxy's limit. */
const rememberedCalls = 500;

/** Starts with `max`, which it never exceeds. */
export function createBatchSize(max: number): BatchSize {
  let size = max;
  let tooMuch = Infinity;
  let calls = 0;
  return {
    current: () => size,
    onSuccess(records) {
      if (records < size) return;
      calls += 1;
      if (calls > rememberedCalls) tooMuch = Infinity;
      const next = Math.min(max, size * 2);
      if (next < tooMuch) size = next;
    },
    onTooMuch(records) {
      // Another lane may have learned more meanwhile.
      tooMuch = Math.min(tooMuch, records);
      calls = 0;
      size = Math.min(size, Math.max(1, Math.floor(records / 2)));
    },
  };
}
