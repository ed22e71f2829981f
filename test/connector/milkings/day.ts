// A farm's day of milk meters and tag readers, as messages: shifts that number from 1, corrections, clocks of whole seconds, losses.
import type { DecodedData, SessionEvent } from '../../../connector/decode/decoded.ts';
import type { Random } from '../../../scripts/dev/simulator/random.ts';
import { below, pick } from '../../support/fuzz.ts';

/** A message of one of the day's devices. */
export interface DayMessage {
  device: string;
  data: DecodedData;
}

/** A day, and the milk (kg) of each of its meters. */
export interface Day {
  messages: DayMessage[];
  kg: Record<string, number>;
  /** Milkings of the meters that tell theirs apart. */
  milkings: Record<string, number>;
}

export const meters = ['stream', 'record', 'plain', 'moment'] as const;
export const reader = 'reader';
/** Where each meter milks; the reader stands at the first one's. */
export const stalls: Readonly<Record<string, string>> = { stream: '1', record: '2', plain: '3', moment: '4' };
export const readerStall = '1';

const second = 1000;
const minute = 60 * second;
/** Two shifts, nine hours apart. */
const shiftHours = [0, 9];

/** Makes a day that begins at `start` (epoch ms). */
export function makeDay(random: Random, start: number): Day {
  const day: Day = { messages: [], kg: {}, milkings: {} };
  for (const hours of shiftHours) {
    for (const meter of meters) {
      let at = start + hours * 60 * minute + below(random, 600) * second;
      const count = 1 + below(random, 3);
      for (let number = 1; number <= count; number++) {
        const milking = { day, meter, number: String(number), at, random };
        at = meter === 'stream' || meter === 'plain' ? addStream(milking) : addRecords(milking);
        // Numbers do not come again within a shift, but the next cow may stand there in the same second.
        at += below(random, 4) * 20 * second;
      }
    }
  }
  return day;
}

interface Milking {
  day: Day;
  meter: string;
  number: string;
  at: number;
  random: Random;
}

function add({ day, meter }: Pick<Milking, 'day' | 'meter'>, at: number, more: Partial<DecodedData>): void {
  const data = {
    at,
    points: [],
    rfid: undefined,
    animalRef: undefined,
    session: undefined,
    stall: undefined,
    profile: undefined,
  };
  day.messages.push({ device: meter, data: { ...data, ...more } });
}

const tagOf = (random: Random) => `05000000000${1000 + below(random, 4)}`;
const eighths = (random: Random, limit: number) => (1 + below(random, limit)) / 8;

function count({ day, meter }: Milking, kg: number): void {
  day.kg[meter] = (day.kg[meter] ?? 0) + kg;
  day.milkings[meter] = (day.milkings[meter] ?? 0) + 1;
}

/** Start, readings and end; now and then two in one second, one twice by its id, drops after the end, a tag at the stall. */
function addStream(milking: Milking): number {
  const { meter, number, at, random } = milking;
  const id = meter === 'stream' ? number : undefined;
  const session = (event: SessionEvent) => ({ session: { id, event } });
  const increment = (time: number, value: number) => [
    { metric: 'milk_yield_increment', time, value, quality: random() < 0.05 ? 3 : 0 },
  ];
  let kg = 0;
  let now = at;
  const rfid = random() < 0.3 ? tagOf(random) : undefined;
  add(milking, now, { ...session('start'), rfid });
  if (meter === 'stream' && random() < 0.5)
    for (const offset of [-200, 2, 40])
      if (random() < 0.6)
        add({ ...milking, meter: reader }, at + offset * second, { rfid: tagOf(random), stall: readerStall });
  for (let reading = 1 + below(random, 5); reading > 0; reading--) {
    now += (1 + below(random, 60)) * second;
    const values = new Set(Array.from({ length: random() < 0.3 ? 2 : 1 }, () => eighths(random, 16)));
    for (const value of values) {
      kg += value;
      add(milking, now, { ...session('reading'), points: increment(now, value) });
    }
    const flow = { metric: 'milk_flow', time: now, value: eighths(random, 32), quality: 0 };
    // A tag that is read late, or another one than at the start.
    add(milking, now, {
      ...session('reading'),
      points: [flow],
      rfid: random() < 0.1 ? tagOf(random) : undefined,
    });
  }
  now += (1 + below(random, 60)) * second;
  if (random() < 0.3) {
    for (const messageId of ['a', 'b']) {
      kg += 0.5;
      const points = increment(now, 0.5);
      add(milking, now, { ...session('reading'), points, messageId: `${messageId}${now}` });
    }
    now += second;
  }
  if (random() < 0.8) add(milking, now, session('end'));
  const drops = random() < 0.2;
  if (drops) {
    const value = 0.125;
    kg += value;
    add(milking, now + second / 2, { ...session('reading'), points: increment(now + second / 2, value) });
  }
  count(milking, kg);
  return now + (drops ? second : 0);
}

/** A finished record and its corrections: by revision, by a later moment, or with nothing that tells which is newer. */
function addRecords(milking: Milking): number {
  const { meter, number, random } = milking;
  const durationS = 60 + below(random, 240);
  const at = milking.at + durationS * second;
  const id = meter === 'record' ? number : undefined;
  const rfid = tagOf(random);
  const record = (kg: number, time: number, revision?: number) =>
    add(milking, time, {
      session: { id, event: 'record', ...(revision === undefined ? {} : { revision }) },
      rfid,
      points: [
        { metric: 'milk_yield', time, value: kg, quality: 0 },
        { metric: 'milking_duration', time, value: durationS, quality: 0 },
      ],
    });
  const first = eighths(random, 160);
  const second_ = eighths(random, 160);
  const how = pick(random, [
    'once',
    'revision',
    'tie',
    ...(id === undefined ? [] : ['later' as const]),
  ] as const);
  record(first, at, how === 'revision' ? 0 : undefined);
  if (how === 'revision') record(second_, at, 1);
  if (how === 'tie') record(second_, at);
  if (how === 'later') record(second_, at + second);
  count(milking, how === 'once' ? first : how === 'tie' ? Math.max(first, second_) : second_);
  return at + 2 * second;
}
