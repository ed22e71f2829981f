// What was said of a milking, kept so that neither order nor repetition of the messages shows in it.
import type { SessionEvent } from '../decode/decoded.ts';
import {
  addPoints,
  mergeStats,
  replaceSmaller,
  type ReplacedPoint,
  type StatPoint,
  type Stats,
} from './stats.ts';

/** A message that is remembered as it is: a finished record, or one of a milking without id. Times in epoch ms. */
export interface Statement {
  event: SessionEvent;
  at: number;
  points: readonly StatPoint[];
  /** The device's own count of its corrections. */
  revision?: number;
  /** The sender's id of the message. */
  messageId?: string;
  rfid?: string;
  animalRef?: string;
  stall?: string;
  /** Its clock was not synchronised. */
  clock?: true;
}

/** A message of a milking. `points` are its usable values; `newPoints` those of moments without a value before. */
export interface MilkingEvent extends Statement {
  wireId: string | undefined;
  newPoints: readonly StatPoint[];
  /** Those of moments that had another value. */
  replaced: readonly ReplacedPoint[];
}

/** A word about a milking, and the moment of the message that said it. */
interface Said {
  value: string;
  at: number;
}
export const subjects = ['rfid', 'animalRef', 'stall'] as const;
type Subject = (typeof subjects)[number];

/** The messages start, reading and end of a milking with an id, added up. */
export interface Stream {
  first: number;
  last: number;
  end: number | null;
  stats: Stats;
  said: Partial<Record<Subject, Said>>;
  /** Messages with an id whose increments are counted. */
  seen?: readonly string[];
  /** Moments (epoch ms) with several increments, and these. */
  several?: Readonly<Record<string, readonly number[]>>;
  clock?: true;
  /** Two messages said different animals. */
  conflict?: true;
  /** From a version that kept less: its key stays, and what it counted is not told from repetitions. */
  pinned?: true;
}

/** All that was said of a milking. */
export interface Evidence {
  stream?: Stream;
  records?: readonly Statement[];
  loose?: readonly Statement[];
}

/** What comes with each message and adds up, as opposed to values that are measured again. */
const increments: ReadonlySet<string> = new Set(['milk_yield_increment']);
const isIncrement = ({ metric }: StatPoint) => increments.has(metric);
const isMeasured = ({ metric }: StatPoint) => !increments.has(metric);

/** A stream with one more message. */
export function addToStream(stream: Stream | undefined, event: MilkingEvent): Stream {
  const known = stream ?? emptyStream(event.at);
  const next: Stream = {
    ...known,
    first: Math.min(known.first, event.at),
    last: Math.max(known.last, event.at),
    end: event.event === 'end' ? Math.max(known.end ?? event.at, event.at) : known.end,
  };
  addMeasured(next, event);
  addIncrements(next, event);
  for (const subject of subjects) {
    const value = event[subject];
    if (value !== undefined) say(next, subject, { value, at: event.at });
  }
  if (event.clock === true) next.clock = true;
  return next;
}

const emptyStream = (at: number): Stream => ({ first: at, last: at, end: null, stats: {}, said: {} });

function addMeasured(stream: Stream, { newPoints, replaced }: MilkingEvent): void {
  stream.stats = addPoints(
    stream.stats,
    newPoints.every(isMeasured) ? newPoints : newPoints.filter(isMeasured),
  );
  if (replaced.length > 0) stream.stats = replaceSmaller(stream.stats, replaced.filter(isMeasured));
}

/** Each increment once: by the message's id where it has one, else by moment and value. */
function addIncrements(stream: Stream, { messageId, points, newPoints, replaced }: MilkingEvent): void {
  const add = (added: readonly StatPoint[]) => (stream.stats = addPoints(stream.stats, added));
  if (messageId !== undefined && stream.pinned !== true) {
    const mine = points.filter(isIncrement);
    if (mine.length === 0 || stream.seen?.includes(messageId) === true) return;
    stream.seen = [...(stream.seen ?? []), messageId].sort();
    add(mine);
    return;
  }
  add(newPoints.filter(isIncrement));
  for (const point of replaced.filter(isIncrement)) {
    const counted = stream.several?.[point.time] ?? [point.before];
    if (counted.includes(point.value)) continue;
    stream.several = { ...stream.several, [point.time]: [...counted, point.value].sort((a, b) => a - b) };
    add([point]);
  }
}

/** The newest word counts; of two of one moment the greater, and that they differ is told. */
function say(stream: Stream, subject: Subject, word: Said): void {
  const known = stream.said[subject];
  if (known !== undefined && known.value !== word.value && subject !== 'stall') stream.conflict = true;
  if (known === undefined || isNewer(word, known)) stream.said = { ...stream.said, [subject]: word };
}

const isNewer = (word: Said, known: Said) =>
  word.at > known.at || (word.at === known.at && word.value > known.value);

/** Two parts of a milking, which a message between them joined. */
export function mergeStreams(left: Stream | undefined, right: Stream | undefined): Stream | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const next: Stream = {
    ...left,
    ...right,
    first: Math.min(left.first, right.first),
    last: Math.max(left.last, right.last),
    end: left.end === null ? right.end : Math.max(left.end, right.end ?? left.end),
    stats: mergeStats(left.stats, right.stats),
    said: left.said,
  };
  if (left.seen !== undefined && right.seen !== undefined)
    next.seen = [...new Set([...left.seen, ...right.seen])].sort();
  if (left.several !== undefined && right.several !== undefined)
    next.several = { ...left.several, ...right.several };
  for (const subject of subjects) {
    const word = right.said[subject];
    if (word !== undefined) say(next, subject, word);
  }
  return next;
}

/** Statements without repetitions, in an order of their own: by moment, then by what they say. */
export function distinct(statements: readonly Statement[]): Statement[] {
  const byContent = new Map(statements.map((statement) => [contentOf(statement), statement]));
  return [...byContent]
    .sort(([left, one], [right, other]) => one.at - other.at || (left < right ? -1 : left > right ? 1 : 0))
    .map(([, statement]) => statement);
}

/** What a statement says, as text: equal texts are repetitions. */
export function contentOf(statement: Statement): string {
  const { event, at, revision, messageId, rfid, animalRef, stall, clock } = statement;
  const points = statement.points
    .map(({ metric, time, value }) => [metric, time, value] as const)
    .sort(([left, one], [right, other]) => (left < right ? -1 : left > right ? 1 : one - other));
  return JSON.stringify([event, at, revision, messageId, rfid, animalRef, stall, clock, points]);
}

/** A message as it is remembered. */
export function statementOf({
  event,
  at,
  points,
  revision,
  messageId,
  rfid,
  animalRef,
  stall,
  clock,
}: MilkingEvent): Statement {
  return {
    event,
    at,
    points: points.map(({ metric, time, value }) => ({ metric, time, value })),
    ...(revision !== undefined && { revision }),
    ...(messageId !== undefined && { messageId }),
    ...(rfid !== undefined && { rfid }),
    ...(animalRef !== undefined && { animalRef }),
    ...(stall !== undefined && { stall }),
    ...(clock && { clock }),
  };
}
