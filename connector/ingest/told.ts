// Which messages said something new of a milking although their values were known. No I/O.
import { contentOf, type Evidence, type Statement } from '../milkings/evidence.ts';
import { wireIdOf } from '../milkings/settle.ts';
import type { DeviceMilkingEvent } from './milking-events.ts';

/**
 * The rows of such messages of one device: those of the second of two milkings in one moment with equal values. `kept` are the milkings
 * as they were before, `changed` those that these messages made or changed.
 */
export function rowsThatTold(
  events: readonly DeviceMilkingEvent[],
  kept: readonly { wireId: string; evidence: Evidence }[],
  changed: readonly { wireId: string }[],
): number[] {
  if (changed.length === 0 || !events.some(isKnown)) return [];
  const ids = new Set(changed.map(({ wireId }) => wireId));
  const said = new Set(
    kept.flatMap(({ wireId, evidence: { records = [], loose = [] } }) => [
      ...records.map((statement) => wordsOf(wireId, statement)),
      ...loose.map((statement) => wordsOf(undefined, statement)),
    ]),
  );
  return events.flatMap((each) => {
    const wireId = wireIdOf(each.event);
    const words = wordsOf(wireId, each.event);
    const isRepetition = said.has(words);
    said.add(words);
    const isTold = !isRepetition && isKnown(each) && (wireId === undefined || ids.has(wireId));
    return isTold ? [each.row] : [];
  });
}

/** Whether it brought no value that was not there before. */
const isKnown = ({ event }: DeviceMilkingEvent) =>
  event.newPoints.length === 0 && event.replaced.length === 0;

const wordsOf = (wireId: string | undefined, statement: Statement) =>
  `${wireId ?? ''} ${contentOf(statement)}`;
