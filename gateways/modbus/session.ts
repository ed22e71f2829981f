// From a meter's session counter and active flag to session events. Pure.

/** What a poll says about milkings. `at` is epoch milliseconds. */
export interface MeterState {
  counter: number;
  active: boolean;
  at: number;
  /** Milk of the current or last milking; undefined when the profile has no such register. */
  yieldKg: number | undefined;
}

/** What the gateway remembers of a meter, also across restarts: the milking it saw last and whether that was running. */
export interface SessionMemory {
  counter: number;
  open: boolean;
  at: number;
  /** Metrics that have been told of a milking since its end; what an analyser adds later is told once, too. */
  told?: string[] | undefined;
}

export interface SessionStep {
  memory: SessionMemory;
  /** Absent while the stall idles. */
  session?: { id: string; event: 'start' | 'reading' | 'end' | 'record' };
  /** Moment of the event, epoch milliseconds. */
  at: number;
}

/** No milking is longer; a milking last seen longer ago than this ended then, not now. */
const longestMilkingMs = 2 * 3600 * 1000;

/**
 * One poll's step. The meter counts up when a milking starts and holds the totals until the next one, so:
 * - first look ever: a running milking is joined as `reading`; a finished one was before our time and is not reported,
 *   because nobody knows whether it was counted already;
 * - the counter moved: `start`, or `record` when that milking is already over (missed whole while away);
 * - the same counter: `reading`, `end` once, then silence. A cluster put on again goes on as `reading`.
 * A milking that was left open and whose totals the next one has overwritten gets no `end`: it is closed by its
 * silence as incomplete, which is the truth.
 */
export function stepSession(previous: SessionMemory | undefined, meter: MeterState): SessionStep {
  const { counter, active, at } = meter;
  const memory = { counter, open: active, at };
  const id = String(counter);
  if (previous === undefined)
    return active ? { memory, session: { id, event: 'reading' }, at } : { memory, at };
  if (counter !== previous.counter) {
    if (active) return { memory, session: { id, event: 'start' }, at };
    // A meter that lost power comes back with another counter and no milk: that was no milking.
    return meter.yieldKg === 0 ? { memory, at } : { memory, session: { id, event: 'record' }, at };
  }
  if (active) return { memory, session: { id, event: 'reading' }, at };
  if (!previous.open) return { memory, at };
  const endedAt = at - previous.at > longestMilkingMs ? previous.at + 1 : at;
  return { memory, session: { id, event: 'end' }, at: endedAt };
}
