// Meters that send finished milkings: numbers that begin again with each shift, corrections, and old versions once more behind them.
import type { Sent } from './ledger.ts';

/** A milking as it was. */
export interface TrueMilking {
  uid: string;
  rfid: string;
  kg: number;
}

/** What a message of the load needs from here. */
export type RecordMessage = Pick<Sent, 'topic' | 'payload' | 'kind'>;

/** The record meters' part of the load. */
export interface Records {
  next: () => RecordMessage | undefined;
  /** Notes the message that was made of what `next` returned last. */
  sentAs: (message: Sent) => void;
  /** All once more, as a device's backlog does; what a killed broker or a database that was set back may have lost gets a last correction. */
  again: () => RecordMessage[];
  truth: () => TrueMilking[];
}

const meters = 5;
const shiftSize = 6;
const betweenMs = 20 * 60_000;
const halfDayMs = 12 * 3_600_000;
const kgPerLitre = 1.03;

interface Version {
  litres: number;
  /** Later record times are newer; equal ones are told apart by the order in which they came first. */
  shiftMs: number;
}
interface Milking {
  uid: string;
  rfid: string;
  number: number;
  endMs: number;
  versions: readonly Version[];
  truth: number;
  sent: Sent[];
}

/** First record, correction and repetition; by turns nothing to correct, equal times, later times, and the correction first. */
function versionsOf(index: number, litres: number): { versions: Version[]; truth: number } {
  const first = { litres, shiftMs: 0 };
  const same = { litres: litres + 2, shiftMs: 0 };
  const later = { litres: litres + 2, shiftMs: 1_000 };
  if (index % 4 === 0) return { versions: [first, first], truth: litres };
  const versions = [
    [first, same, first],
    [first, later, first],
    [later, first],
  ][(index % 4) - 1] ?? [first];
  return { versions, truth: litres + 2 };
}

/** Record meters of one farm; their milkings began 60 days before `now`. */
export function createRecords(farm: string, now: number): Records {
  const milkings: Milking[] = [];
  let queue: { milking: Milking; version: Version }[] = [];
  let last: Milking | undefined;

  function open(): void {
    const index = milkings.length;
    const meter = index % meters;
    const turn = Math.floor(index / meters);
    const shift = Math.floor(turn / shiftSize);
    const number = (turn % shiftSize) + 1;
    const endMs = Math.floor(now / 1000) * 1000 - 60 * 2 * halfDayMs + shift * halfDayMs + number * betweenMs;
    if (endMs > now - halfDayMs) return;
    // Another cow each time the number comes back.
    const rfid = `05000000${String(1_000_000 + index).padStart(7, '0')}`;
    const { versions, truth } = versionsOf(turn, 8 + (index % 12));
    const milking = { uid: `r${meter}`, rfid, number, endMs, versions, truth, sent: [] };
    milkings.push(milking);
    queue = versions.map((version) => ({ milking, version }));
  }

  const messageOf = ({ uid, rfid, number, endMs }: Milking, { litres, shiftMs }: Version): RecordMessage => ({
    kind: 'record',
    topic: `dairy/${farm}/milk_meter/${uid}/data`,
    payload: JSON.stringify({
      session_id: String(number),
      timestamp: new Date(endMs + shiftMs).toISOString().replace('.000Z', 'Z'),
      rfid_tag: rfid,
      yield_liters: litres,
      duration_seconds: 300,
    }),
  });

  return {
    next() {
      if (queue.length === 0) open();
      const next = queue.shift();
      last = next?.milking;
      return next === undefined ? undefined : messageOf(next.milking, next.version);
    },
    sentAs: (message) => void last?.sent.push(message),
    again: () =>
      milkings.flatMap((milking) => {
        const messages = milking.versions.map((version) => messageOf(milking, version));
        if (!milking.sent.some(({ held, unsure, gone }) => held || unsure || gone)) return messages;
        milking.truth = 30;
        return [...messages, messageOf(milking, { litres: milking.truth, shiftMs: 2_000 })];
      }),
    truth: () => milkings.map(({ uid, rfid, truth }) => ({ uid, rfid, kg: truth * kgPerLitre })),
  };
}

/**
 * How many milkings are missing, too many or other than they were; a wrong one counts once. Void ones, which stay with 0 kg where
 * a message turned out to be of another milking (docs/milkings.md), are no milk and none of ours has none.
 */
export function wrongMilkings(truth: readonly TrueMilking[], found: readonly TrueMilking[]): number {
  const keyOf = ({ uid, rfid, kg }: TrueMilking) => `${uid} ${rfid} ${kg.toFixed(2)}`;
  const left = new Map<string, number>();
  for (const milking of truth) left.set(keyOf(milking), (left.get(keyOf(milking)) ?? 0) + 1);
  let extra = 0;
  for (const milking of found.filter(({ kg }) => kg > 0)) {
    const count = left.get(keyOf(milking)) ?? 0;
    if (count === 0) extra += 1;
    else left.set(keyOf(milking), count - 1);
  }
  const missing = [...left.values()].reduce((sum, count) => sum + count, 0);
  return Math.max(missing, extra);
}
