// Milking events for tests, and a device's milkings kept as the connector keeps them.
import { toRecord, type MilkingPlace, type MilkingRules } from '../../../connector/milkings/record.ts';
import type { MilkingEvent } from '../../../connector/milkings/evidence.ts';
import { settle, type Kept } from '../../../connector/milkings/settle.ts';
import { viewOf } from '../../../connector/milkings/view.ts';

/** 2026-11-20, 05:00 UTC. */
export const t0 = Date.UTC(2026, 10, 20, 5);
export const minute = 60_000;

/** The rules of DOMAIN.md on a farm in Bangladesh. */
export const rules: MilkingRules = {
  timezone: 'Asia/Dhaka',
  middayHour: 11,
  eveningHour: 15,
  sccReject: 400_000,
  grades: [
    { grade: 'A', fat: 3.5, protein: 3.0 },
    { grade: 'B', fat: 3.0, protein: 2.8 },
    { grade: 'C', fat: 2.5, protein: 2.5 },
  ],
  abnormalShare: 0.3,
  mostYieldKg: 100,
  meanDays: 30,
  meanLeastMilkings: 3,
};

export const place: MilkingPlace = { farm: 'farm1', deviceUid: 'm1', deviceType: 'milk_meter', stall: null };

/** An event with `values` measured at its moment, all of them new. */
export function event(
  kind: MilkingEvent['event'],
  at: number,
  values: Record<string, number> = {},
  more: Partial<MilkingEvent> = {},
): MilkingEvent {
  const points = Object.entries(values).map(([metric, value]) => ({ metric, time: at, value }));
  return { wireId: 's1', event: kind, at, points, newPoints: points, replaced: [], ...more };
}

/** A device whose milkings are kept in memory as the connector keeps them in the database: what is said arrives in batches. */
export function createDevice() {
  const readings = new Map<string, number>();
  const kept = new Map<string, Kept>();
  return {
    batch(events: readonly MilkingEvent[]): void {
      const judged = events.map((event) => judge(event, readings));
      // The database hands everything back as JSON.
      const stored = structuredClone([...kept.values()]);
      const { changed, gone } = settle(stored, judged);
      for (const key of gone) kept.delete(key);
      for (const each of changed) kept.set(each.sessionKey, JSON.parse(JSON.stringify(each)) as Kept);
    },
    milkings: () =>
      [...kept.values()]
        .map((each) => ({ ...each, ...viewOf(each.evidence) }))
        .sort(
          (left, right) => left.startedAt - right.startedAt || (left.sessionKey < right.sessionKey ? -1 : 1),
        ),
  };
}

/** Tells new values from repeated and from other ones, as the table of readings does. */
function judge(event: MilkingEvent, readings: Map<string, number>): MilkingEvent {
  const newPoints: MilkingEvent['points'][number][] = [];
  const replaced: MilkingEvent['replaced'][number][] = [];
  for (const point of event.points) {
    const key = `${point.metric}|${point.time}`;
    const before = readings.get(key);
    readings.set(key, Math.max(before ?? -Infinity, point.value));
    if (before === undefined) newPoints.push(point);
    else if (before !== point.value) replaced.push({ ...point, before });
  }
  return { ...event, newPoints, replaced };
}

/** The milkings that a device's events make, arriving one by one. */
export function milkingsOf(events: readonly MilkingEvent[]) {
  const device = createDevice();
  for (const next of events) device.batch([next]);
  return device.milkings();
}

/** The records of these milkings, without history. */
export const recordsOf = (events: readonly MilkingEvent[]) =>
  milkingsOf(events).map((milking) => toRecord(milking, place, null, rules));
