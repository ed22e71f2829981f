// What all that was said of a milking comes to: its times, its animal, its values.
import type { MilkingMark } from '../../contract/records.ts';
import { contentOf, subjects, type Evidence, type Statement, type Stream } from './evidence.ts';
import { addPoints, hasYield, mergeStats, type Stats } from './stats.ts';

/** A milking as it stands. Times in epoch ms. */
export interface View {
  stall: string | null;
  rfid: string | null;
  animalRef: string | null;
  startedAt: number;
  lastAt: number;
  endedAt: number | null;
  /** Its end was seen, as opposed to closed after silence, and a yield that can be. No yield is not 0 kg. */
  complete: boolean;
  stats: Stats;
  /** Why it is to be read with care. */
  marks: Exclude<MilkingMark, 'void'>[];
}

/** Works out a milking. The newest statement wins; what it does not name stays as the one before said it. */
export function viewOf({ stream, records = [], loose = [] }: Evidence): View {
  const streamed = loose.length === 0 ? stream : withLoose(stream, loose);
  const ordered = records.length < 2 ? records : records.toSorted(compareRecords);
  const newest = ordered.at(-1);
  const ends = [streamed?.end ?? null, newest?.at ?? null].filter((at) => at !== null);
  const moments = ordered.map(({ at }) => at);
  const view: View = {
    stall: streamed?.said.stall?.value ?? null,
    rfid: streamed?.said.rfid?.value ?? null,
    animalRef: streamed?.said.animalRef?.value ?? null,
    // Of several records the newest tells the time, or a corrected time would count for nothing.
    startedAt: Math.min(streamed?.first ?? Infinity, newest?.at ?? Infinity),
    lastAt: Math.max(streamed?.last ?? -Infinity, ...moments),
    endedAt: ends.length === 0 ? null : Math.max(...ends),
    complete: false,
    stats: streamed?.stats ?? {},
    marks: [],
  };
  for (const record of ordered) {
    view.stats = { ...view.stats, ...addPoints({}, record.points) };
    for (const subject of subjects) view[subject] = record[subject] ?? view[subject];
  }
  view.complete = ends.length > 0 && hasYield(view.stats);
  const durationS = view.stats['milking_duration']?.max;
  if (durationS !== undefined) view.startedAt = (view.endedAt ?? view.lastAt) - durationS * 1000;
  if (streamed?.clock === true || records.some(({ clock }) => clock === true)) view.marks.push('clock');
  if (streamed?.conflict === true || ordered.some(disagrees)) view.marks.push('conflict');
  return view;
}

/**
 * The device's own count first, then the moment. Where both are equal nobody can tell: the larger yield counts, of equal
 * yields the one that says less of the first thing (by name) that they differ in, so that doubtful milk is not called better.
 */
function compareRecords(left: Statement, right: Statement): number {
  return (
    (left.revision ?? -1) - (right.revision ?? -1) ||
    left.at - right.at ||
    yieldOf(left) - yieldOf(right) ||
    firstDifference(right, left) ||
    (contentOf(left) < contentOf(right) ? -1 : 1)
  );
}

const yieldOf = ({ points }: Statement) =>
  points.find(({ metric }) => metric === 'milk_yield')?.value ?? -Infinity;

function firstDifference(left: Statement, right: Statement): number {
  const values = new Map(right.points.map(({ metric, value }) => [metric, value]));
  const [first] = left.points
    .filter(({ metric, value }) => (values.get(metric) ?? value) !== value)
    .toSorted((one, other) => (one.metric < other.metric ? -1 : 1));
  return first === undefined ? 0 : first.value - (values.get(first.metric) ?? 0);
}

/** Two records that nothing tells apart but what they say. */
const disagrees = (record: Statement, index: number, ordered: readonly Statement[]) => {
  const before = ordered[index - 1];
  return before !== undefined && before.revision === record.revision && before.at === record.at;
};

/** The messages without id as a stream: all of them are there, so each is added once. */
function withLoose(stream: Stream | undefined, loose: readonly Statement[]): Stream {
  const moments = loose.map(({ at }) => at);
  const ends = loose.filter(({ event }) => event === 'end').map(({ at }) => at);
  const said: Stream['said'] = { ...stream?.said };
  let conflict = stream?.conflict === true;
  for (const statement of loose) {
    for (const subject of subjects) {
      const value = statement[subject];
      if (value === undefined) continue;
      const known = said[subject];
      conflict ||= known !== undefined && known.value !== value && subject !== 'stall';
      const { at } = statement;
      if (known === undefined || at > known.at || (at === known.at && value > known.value))
        said[subject] = { value, at };
    }
  }
  const own = loose.map(({ points }) => addPoints({}, points)).reduce(mergeStats);
  return {
    first: Math.min(stream?.first ?? Infinity, ...moments),
    last: Math.max(stream?.last ?? -Infinity, ...moments),
    end: stream?.end ?? (ends.length === 0 ? null : Math.max(...ends)),
    stats: mergeStats(stream?.stats ?? {}, own),
    said,
    ...(stream?.clock === true || loose.some(({ clock }) => clock === true) ? { clock: true as const } : {}),
    ...(conflict ? { conflict: true as const } : {}),
  };
}
