// Milk meters that speak the customer's own JSON over MQTT: one finished record, or start, readings and end. Pure.
import { flowAt, yieldAt } from './cow.ts';
import type { Milking } from './parlour.ts';
import { roundTo } from './random.ts';

/** Density the product converts with; these meters count litres. */
export const kgPerLitre = 1.03;

export interface Message {
  topic: string;
  payload: string;
}

/** Simulated second to wall-clock time, ISO 8601. */
export type Clock = (simulatedS: number) => string;

/** A finished milking in one message. Only the meter knows the litres, so they are the truth. */
export function finishedRecord(farm: string, milking: Milking, sessionId: string, clock: Clock): Message {
  const { place, cow, milk } = milking;
  return {
    topic: `dairy/${farm}/milk_meters/${place.uid}/data`,
    payload: JSON.stringify({
      device_id: place.uid,
      timestamp: clock(milking.endS),
      session_id: sessionId,
      animal_id: cow.earTag,
      rfid_tag: cow.rfid,
      yield_liters: recordLitres(milking),
      flow_rate: roundTo((recordLitres(milking) * 60) / milk.durationS, 2),
      // By the clock that its times are of, or milkings would overlap.
      duration_seconds: Math.round(
        (Date.parse(clock(milking.endS)) - Date.parse(clock(milking.startS))) / 1000,
      ),
      quality: {
        fat_percentage: milk.fat,
        protein_percentage: milk.protein,
        lactose_percentage: milk.lactose,
        somatic_cell_count: milk.sccPerMl,
        temperature_celsius: milk.temperature,
      },
      equipment: {
        vacuum_pressure: milk.vacuumKpa,
        pulsation_rate: milk.pulsation,
        milking_position: place.stall,
      },
    }),
  };
}

/** Litres that a record meter shows. */
export const recordLitres = ({ milk }: Milking) => roundTo(milk.yieldKg / kgPerLitre, 2);

/** Simulated seconds between the readings of a session meter. */
const readingEveryS = 10;

/** Moments of a session's readings; the last one is its end. */
export function readingMoments({ startS, endS }: Milking): number[] {
  const moments: number[] = [];
  for (let s = startS + readingEveryS; s < endS; s += readingEveryS) moments.push(s);
  return [...moments, endS];
}

/** Litres since the reading before, as the meter shows them: their sum is the truth. */
export function readingLitres({ startS, milk }: Milking, previousS: number, atS: number): number {
  return roundTo((yieldAt(milk, atS - startS) - yieldAt(milk, previousS - startS)) / kgPerLitre, 3);
}

const sessionTopic = ({ place }: Milking) => `smartdairy/sensors/milk_meter/${place.uid}/data`;

export function sessionStart(milking: Milking, sessionId: string, clock: Clock): Message {
  const { cow, startS } = milking;
  return {
    topic: sessionTopic(milking),
    payload: JSON.stringify({
      type: 'session_start',
      session_id: sessionId,
      animal_id: cow.earTag,
      timestamp: clock(startS),
    }),
  };
}

/** `volume` is what came since the reading before. */
export function sessionReading(
  milking: Milking,
  sessionId: string,
  { previousS, atS, clock }: { previousS: number; atS: number; clock: Clock },
): Message {
  const { cow, milk, startS } = milking;
  return {
    topic: sessionTopic(milking),
    payload: JSON.stringify({
      type: 'reading',
      session_id: sessionId,
      animal_id: cow.earTag,
      timestamp: clock(atS),
      volume: readingLitres(milking, previousS, atS),
      flow_rate: roundTo(flowAt(milk, atS - startS) / kgPerLitre, 2),
      conductivity: milk.conductivity,
      temperature: milk.temperature,
      fat_percent: milk.fat,
      protein_percent: milk.protein,
      somatic_cell_count: milk.sccPerMl,
    }),
  };
}

export function sessionEnd(milking: Milking, sessionId: string, clock: Clock): Message {
  return {
    topic: sessionTopic(milking),
    payload: JSON.stringify({ type: 'session_end', session_id: sessionId, timestamp: clock(milking.endS) }),
  };
}

/** A cow's tag as the reader at the stall's entrance tells it. */
export function tagRead(farm: string, { cow, place, enterS }: Milking, clock: Clock): Message {
  return {
    topic: `dairy/${farm}/rfid_reader/parlour-rfid/data`,
    payload: JSON.stringify({
      v: 1,
      at: clock(enterS),
      points: [],
      animal: { rfid: cow.rfid },
      stall: place.stall,
    }),
  };
}

/** A message cut off in the middle. */
export const brokenCopy = ({ topic, payload }: Message): Message => ({
  topic,
  payload: payload.slice(0, Math.floor(payload.length / 2)),
});

/** A message of the same meter that cannot be true, of a milking that never was. */
export function absurdCopy({ topic, payload }: Message): Message {
  const fields = JSON.parse(payload) as Record<string, unknown>;
  const absurd = 'yield_liters' in fields ? { yield_liters: 100_000 } : { type: 'reading', volume: 100_000 };
  return {
    topic,
    payload: JSON.stringify({
      ...fields,
      session_id: `absurd-${String(fields['session_id'])}`,
      ...absurd,
      flow_rate: -9999,
    }),
  };
}
