// The state machine of a milking: start, reading, end and finished record, in any order, each as often as it may come.
import type { SessionEvent } from '../decode/decoded.ts';
import { addPoints, replacePoints, type StatPoint, type Stats } from './stats.ts';

/** A milking as it stands. Times in epoch ms. */
export interface Milking {
  /** Unique per device; the wire id, made longer when a meter counts from the beginning again. */
  sessionKey: string;
  wireId: string;
  stall: string | null;
  rfid: string | null;
  animalRef: string | null;
  startedAt: number;
  lastAt: number;
  endedAt: number | null;
  /** Published as over; later messages make new revisions. */
  closed: boolean;
  /** Its end was seen, as opposed to closed after silence. */
  complete: boolean;
  stats: Stats;
}

/** A message of a milking. `newPoints` are those whose readings were not stored before; `points` all good ones. */
export interface MilkingEvent {
  wireId: string | undefined;
  event: SessionEvent;
  at: number;
  points: readonly StatPoint[];
  newPoints: readonly StatPoint[];
  rfid: string | undefined;
  animalRef: string | undefined;
  stall: string | undefined;
}

/** Meters that number their milkings start over; the same number this much later is another milking. */
export const reuseAfterMs = 12 * 3_600_000;

/** The milking of a device that an event belongs to; without id, the one of that time, else the one that is open. */
export function findMilking<T extends Milking>(candidates: readonly T[], event: MilkingEvent): T | undefined {
  if (event.wireId === undefined) {
    if (event.event === 'record')
      return candidates.find((milking) => milking.wireId === recordWireId(event.at));
    // A closed milking is still the one of what was said while it ran: repeated and late messages open no other.
    const during = candidates.findLast((milking) => isDuring(milking, event));
    if (during !== undefined) return during;
    const open = candidates.findLast((milking) => !milking.closed);
    // A start after everything else of an open milking is the next animal's; the end before it was lost.
    return event.event === 'start' && open !== undefined && event.at > open.lastAt ? undefined : open;
  }
  const same = candidates.filter(
    (milking) =>
      milking.wireId === event.wireId &&
      event.at > milking.startedAt - reuseAfterMs &&
      event.at < milking.lastAt + reuseAfterMs,
  );
  const begun = same.findLast(({ startedAt }) => startedAt <= event.at);
  // The same number started after its end is the next milking: the meter counts from the beginning each shift.
  if (event.event === 'start' && begun?.endedAt != null && event.at > begun.endedAt) return undefined;
  return begun ?? same[0];
}

function isDuring({ startedAt, endedAt, lastAt }: Milking, { event, at }: MilkingEvent): boolean {
  const until = endedAt ?? lastAt;
  // Where clocks tell seconds only, the next milking may start when the last one ends.
  return at >= startedAt && (at < until || (at === until && (event !== 'start' || at === startedAt)));
}

/** Stands in for the id of a finished record that has none. */
export const recordWireId = (at: number) => `at:${new Date(at).toISOString()}`;

/** A new milking for an event that belongs to none; `takenKeys` are the device's session keys that exist. */
export function openMilking(event: MilkingEvent, takenKeys: ReadonlySet<string>): Milking {
  const wireId = event.wireId ?? recordWireId(event.at);
  return {
    sessionKey: takenKeys.has(wireId) ? `${wireId}@${new Date(event.at).toISOString()}` : wireId,
    wireId,
    stall: null,
    rfid: null,
    animalRef: null,
    startedAt: event.at,
    lastAt: event.at,
    endedAt: null,
    closed: false,
    complete: false,
    stats: {},
  };
}

/** Applies an event. Applying it again changes nothing, given that its points are then no longer new. */
export function applyEvent(milking: Milking, event: MilkingEvent): Milking {
  const ends = event.event === 'end' || event.event === 'record';
  const stats =
    event.event === 'record'
      ? replacePoints(milking.stats, event.points)
      : addPoints(milking.stats, event.newPoints);
  return {
    ...milking,
    stall: event.stall ?? milking.stall,
    rfid: event.rfid ?? milking.rfid,
    animalRef: event.animalRef ?? milking.animalRef,
    startedAt: Math.min(milking.startedAt, event.at),
    lastAt: Math.max(milking.lastAt, event.at),
    endedAt: ends ? Math.max(milking.endedAt ?? event.at, event.at) : milking.endedAt,
    closed: milking.closed || ends,
    complete: milking.complete || ends,
    stats,
  };
}
