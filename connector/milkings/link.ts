// Which messages with an id are about one milking: device and number agree, and their times are those of one milking.
import {
  addToStream,
  distinct,
  mergeStreams,
  statementOf,
  type Evidence,
  type MilkingEvent,
  type Statement,
} from './evidence.ts';

/**
 * No milking takes longer. Messages with one number that are no further apart are of one milking, or joined to one by
 * others between them; further apart the meter has begun to count anew.
 */
export const longestMilkingMs = 30 * 60_000;

/** What was said under one number about one milking. */
export interface Named {
  wireId: string;
  evidence: Evidence;
  /** Of a milking that an earlier version stored: it keeps this key. */
  pinnedKey: string | undefined;
}

/** Adds a message to the milkings of its number; returns those that there are now. The changed one is a new object. */
export function addNamed(known: readonly Named[], wireId: string, event: MilkingEvent): readonly Named[] {
  const isMine = event.event === 'record' ? isRecordOf : isStreamOf;
  const linked = known.filter(({ evidence }) => isMine(evidence, event));
  const pinned = linked.find(({ pinnedKey }) => pinnedKey !== undefined);
  const mine = linked.filter((each) => each === pinned || each.pinnedKey === undefined);
  const [only] = mine;
  const before =
    only !== undefined && mine.length === 1
      ? only.evidence
      : mine.map(({ evidence }) => evidence).reduce(mergeEvidence, {});
  const evidence = addEvent(before, event);
  if (evidence === before && mine.length === 1) return known;
  const others = known.filter((each) => !mine.includes(each));
  return [...others, { wireId, evidence, pinnedKey: pinned?.pinnedKey }];
}

function addEvent(evidence: Evidence, event: MilkingEvent): Evidence {
  if (event.event !== 'record') return { ...evidence, stream: addToStream(evidence.stream, event) };
  // What an earlier version counted cannot be told from this one, but it is no older.
  if (evidence.stream?.pinned === true && event.at < evidence.stream.last) return evidence;
  const before = evidence.records ?? [];
  const records = distinct([...before, statementOf(event)]);
  return records.length === before.length ? evidence : { ...evidence, records };
}

function mergeEvidence(left: Evidence, right: Evidence): Evidence {
  const stream = mergeStreams(left.stream, right.stream);
  const records = distinct([...(left.records ?? []), ...(right.records ?? [])]);
  return { ...(stream && { stream }), ...(records.length > 0 && { records }) };
}

const isNear = (from: number, to: number, start: number, end: number) =>
  start <= to + longestMilkingMs && end >= from - longestMilkingMs;

function isStreamOf({ stream, records = [] }: Evidence, { at }: MilkingEvent): boolean {
  return (
    (stream !== undefined && isNear(stream.first, stream.last, at, at)) ||
    records.some((record) => isNear(startOf(record), record.at, at, at))
  );
}

function isRecordOf({ stream, records = [] }: Evidence, record: MilkingEvent): boolean {
  return (
    (stream !== undefined && isNear(stream.first, stream.last, startOf(record), record.at)) ||
    records.some((other) => isSameMilking(record, other))
  );
}

/** Records of one number that overlap are versions of one; those that only are near are not, with another cow or stall. */
function isSameMilking(left: Statement, right: Statement): boolean {
  const [start, other] = [startOf(left), startOf(right)];
  const isOtherAnimal = differ(left.rfid, right.rfid) || differ(left.animalRef, right.animalRef);
  const isOtherStall = differ(left.stall, right.stall);
  if (isOtherAnimal && isOtherStall) return false;
  if (left.at === right.at || (start < right.at && other < left.at)) return true;
  return !isOtherAnimal && !isOtherStall && isNear(start, left.at, other, right.at);
}

const differ = (left: string | undefined, right: string | undefined) =>
  left !== undefined && right !== undefined && left !== right;

const startOf = ({ at, points }: Pick<Statement, 'at' | 'points'>) =>
  at - 1000 * (points.find(({ metric }) => metric === 'milking_duration')?.value ?? 0);
