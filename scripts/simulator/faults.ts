// Faults that can be switched on, each decided by numbers only, so that a run can be repeated.
import { nearMatch } from '../../contract/near-match.ts';
import type { Fate } from './modbus-server.ts';

export const faultNames = [
  /** Every fourth cow comes in without her tag being read. */
  'tag_unread',
  /** The last stall's meter is silent for a third of the time: seconds 8 to 18 of every 30. */
  'slave_down',
  /** Every tenth Modbus answer takes 300 ms, every hundredth 1.5 s. */
  'slow',
  /** Every seventeenth Modbus answer is nonsense. */
  'garbage',
  /** MQTT milk meters send every message three times. */
  'duplicate',
  /** Readings of MQTT milk meters come three simulated minutes late, after their session's end too. */
  'late',
  /** MQTT milk meters send a broken message beside every good one. */
  'bad_json',
  /** MQTT milk meters send a message with impossible values beside every good one. */
  'absurd',
] as const;
export type FaultName = (typeof faultNames)[number];

/** Parses `--faults a,b`. Throws an Error that names the wrong one. */
export function parseFaults(list: string): Set<FaultName> {
  const words = list.split(',').filter((word) => word !== '');
  for (const word of words) {
    if ((faultNames as readonly string[]).includes(word)) continue;
    const near = nearMatch(word, faultNames);
    throw new Error(
      `--faults: there is no fault '${word}'; ${near === undefined ? `known: ${faultNames.join(', ')}` : `did you mean '${near}'?`}`,
    );
  }
  return new Set(words as FaultName[]);
}

/** Whether the tag of a stall's cow is read. */
export function tagIsRead(faults: ReadonlySet<FaultName>, placeIndex: number, milking: number): boolean {
  return !faults.has('tag_unread') || (placeIndex + 3 * milking) % 4 !== 1;
}

/** What happens to a Modbus request; `elapsedMs` is wall time since the start. */
export function modbusFate(
  faults: ReadonlySet<FaultName>,
  {
    unit,
    request,
    lastUnit,
    elapsedMs,
  }: { unit: number; request: number; lastUnit: number; elapsedMs: number },
): Fate {
  if (
    faults.has('slave_down') &&
    unit === lastUnit &&
    elapsedMs % 30_000 >= 8000 &&
    elapsedMs % 30_000 < 18_000
  )
    return { kind: 'silent' };
  if (faults.has('garbage') && request % 17 === 16) return { kind: 'garbage' };
  if (faults.has('slow') && request % 100 === 99) return { kind: 'answer', delayMs: 1500 };
  if (faults.has('slow') && request % 10 === 9) return { kind: 'answer', delayMs: 300 };
  return { kind: 'answer', delayMs: 0 };
}
