// Milking events for tests, and a device's milkings kept as the connector keeps them.
import { toRecord, type MilkingPlace, type MilkingRules } from '../../../connector/milkings/record.ts';
import {
  applyEvent,
  findMilking,
  openMilking,
  type Milking,
  type MilkingEvent,
} from '../../../connector/milkings/transition.ts';

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
  return {
    wireId: 's1',
    event: kind,
    at,
    points,
    newPoints: points,
    rfid: undefined,
    animalRef: undefined,
    stall: undefined,
    ...more,
  };
}

/** The milkings that a device's events make. A reading that came before is not new when it comes again, as in the database. */
export function milkingsOf(events: readonly MilkingEvent[]): Milking[] {
  const milkings: Milking[] = [];
  const stored = new Set<string>();
  for (const next of events) {
    const newPoints = next.points.filter(({ metric, time }) => {
      const key = `${metric}|${time}`;
      return !stored.has(key) && stored.add(key);
    });
    let milking = findMilking(milkings, next);
    if (milking === undefined) {
      milking = openMilking(next, new Set(milkings.map(({ sessionKey }) => sessionKey)));
      milkings.push(milking);
    }
    Object.assign(milking, applyEvent(milking, { ...next, newPoints }));
  }
  return milkings;
}

/** The records of these milkings, without history. */
export const recordsOf = (events: readonly MilkingEvent[]) =>
  milkingsOf(events).map((milking) => toRecord(milking, place, null, rules));
