// Faults that can be switched on. Each is decided by the seed and by numbers alone: the same seed, the same faults.
import { UsageError } from '../../../contract/runtime/command-line.ts';
import { nearMatch } from '../../../contract/near-match.ts';
import type { Fate } from './modbus-server.ts';
import { between, createRandom } from './random.ts';

export const faultNames = [
  /** Every fourth cow comes in without her tag being read. */
  'tag_unread',
  /** A neighbour's tag is read too: at every fifth milking in passing, at every tenth as often as the cow's own. */
  'tag_double',
  /** The last stall's meter is silent for a third of the time: seconds 8 to 18 of every 30. */
  'slave_down',
  /** One Modbus answer in ten takes 300 ms, one in a hundred 1.5 s. */
  'slow',
  /** One Modbus answer in forty comes after 2.5 s: long after the next question. */
  'late_answer',
  /** One Modbus answer in seventeen is nonsense in a sound frame. */
  'garbage',
  /** One Modbus answer in twenty has one to three bits of its header turned over. */
  'bit_flips',
  /** One Modbus answer in thirty comes in the name of another unit. */
  'wrong_unit',
  /** One Modbus request in twenty-five is refused: device failure or busy. */
  'exceptions',
  /** After one Modbus request in five hundred its connection is dead, though nobody closed it. */
  'half_open',
  /** MQTT milk meters send every message three times. */
  'duplicate',
  /** Readings of MQTT milk meters come three simulated minutes late, after their session's end too. */
  'late',
  /** MQTT milk meters send a broken message beside every good one. */
  'bad_json',
  /** MQTT milk meters send a message with impossible values beside every good one. */
  'absurd',
  /** Of the MQTT milk meters the first's clock is hours ahead, the second's up to two days behind, the third's jumps back at its second milking. */
  'clock_wrong',
  /** The broker is away for one simulated day of two, from the second hour on: what MQTT devices say comes afterwards, in their order. */
  'broker_away',
] as const;
export type FaultName = (typeof faultNames)[number];
export type Faults = ReadonlySet<FaultName>;

/** Parses `--faults a,b`; `all` is all of them. Throws an Error that names the wrong one. */
export function parseFaults(list: string): Set<FaultName> {
  if (list === 'all') return new Set(faultNames);
  const words = list.split(',').filter((word) => word !== '');
  for (const word of words) {
    if ((faultNames as readonly string[]).includes(word)) continue;
    const near = nearMatch(word, faultNames);
    throw new UsageError(
      `--faults: there is no fault '${word}'; ${near === undefined ? `known: ${faultNames.join(', ')}` : `did you mean '${near}'?`}`,
    );
  }
  return new Set(words as FaultName[]);
}

/** A number in [0, 1) that belongs to a fault, a seed and what the fault may strike. */
const lot = (fault: FaultName, ...seeds: readonly number[]) =>
  createRandom(100 + faultNames.indexOf(fault), ...seeds)();

/** How a stall's reader gets on with a cow's tag: `passing`: a neighbour is read once, `both`: as often as she. */
export type TagRead = 'read' | 'unread' | 'passing' | 'both';

/** The fate of a milking's tag; `place` and `milking` are the place's index and the milking's number there. */
export function tagFate(faults: Faults, place: number, milking: number): TagRead {
  if (faults.has('tag_unread') && (place + 3 * milking) % 4 === 1) return 'unread';
  if (faults.has('tag_double') && (place + 2 * milking) % 10 === 3) return 'both';
  return faults.has('tag_double') && (place + 2 * milking) % 5 === 2 ? 'passing' : 'read';
}

/** Whether the milking can be given to its cow: with two tags read alike nobody knows whose it is. */
export const tagIsKnown = (read: TagRead) => read === 'read' || read === 'passing';

/** What happens to a Modbus request; `request` is its number at its unit, `elapsedMs` wall time since the doors opened. */
export function modbusFate(
  faults: Faults,
  given: { seed: number; unit: number; request: number; lastUnit: number; elapsedMs: number },
): Fate {
  const { seed, unit, request, lastUnit, elapsedMs } = given;
  const second = (elapsedMs % 30_000) / 1000;
  if (faults.has('slave_down') && unit === lastUnit && second >= 8 && second < 18) return { kind: 'silent' };
  const share = (fault: FaultName) => (faults.has(fault) ? lot(fault, seed, unit, request) : 1);
  if (share('half_open') < 1 / 500) return { kind: 'half_open' };
  const refusal = share('exceptions');
  if (refusal < 1 / 25) return { kind: 'exception', code: refusal < 1 / 50 ? 4 : 6 };
  if (share('garbage') < 1 / 17) return { kind: 'garbage' };
  if (share('wrong_unit') < 1 / 30) return { kind: 'wrong_unit' };
  const turned = share('bit_flips');
  if (turned < 1 / 20) return { kind: 'flipped', bits: turnedBits(seed, unit, request) };
  if (share('late_answer') < 1 / 40) return { kind: 'answer', delayMs: 2500 };
  const pace = share('slow');
  return { kind: 'answer', delayMs: pace < 1 / 100 ? 1500 : pace < 1 / 10 ? 300 : 0 };
}

/** Bits of the header, function and count included: the data behind it has TCP's own checksum, a converter's framing has none. */
function turnedBits(...seeds: readonly number[]): number[] {
  const random = createRandom(99, ...seeds);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * 9 * 8));
}

const hourMs = 3_600_000;
/** Index of the first MQTT milk meter's place. */
export const firstForeignPlace = 1000;

/** How wrong a device's clock is, in ms: ahead, behind, or right until it jumps back. `place` is its index, `milking` the milking's number. */
export function clockErrorMs(faults: Faults, seed: number, place: number, milking: number): number {
  if (!faults.has('clock_wrong')) return 0;
  const random = createRandom(98, seed, place);
  const kind = (place - firstForeignPlace) % 3;
  if (kind === 0) return Math.round(between(random, 2, 12) * hourMs);
  if (kind === 1) return -Math.round(between(random, 1, 48) * hourMs);
  return milking === 0 ? 0 : -Math.round(between(random, 0.2, 1) * hourMs);
}

const dayS = 86_400;

/** Whether the broker is away at a simulated second. */
export function brokerIsAway(faults: Faults, atS: number): boolean {
  const s = atS % (2 * dayS);
  return faults.has('broker_away') && s >= 7200 && s < 7200 + dayS;
}
