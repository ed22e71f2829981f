// A device's milkings after more messages: a function of all that was said, however it came.
import {
  contentOf,
  distinct,
  statementOf,
  type Evidence,
  type MilkingEvent,
  type Statement,
  type Stream,
} from './evidence.ts';
import { addNamed, type Named } from './link.ts';
import { divide, type Span } from './loose.ts';

/** A milking as it is kept, under a key that is unique for its device. */
export interface Kept {
  sessionKey: string;
  wireId: string;
  evidence: Evidence;
}

/** What became of a device's milkings. `gone`: keys under which nothing is left. */
export interface Settled {
  changed: Kept[];
  gone: string[];
}

/** Stands in for the id of a milking that has none. */
const momentId = (at: number) => `at:${new Date(at).toISOString()}`;

/** Under which id a message counts; undefined for one of a milking without id. */
export const wireIdOf = ({ wireId, event, at }: Pick<MilkingEvent, 'wireId' | 'event' | 'at'>) =>
  wireId ?? (event === 'record' ? momentId(at) : undefined);

/**
 * Takes in a device's messages. `kept` are its milkings that these can concern: those of the same ids, those of the
 * time, and of each id the one whose key is the id alone.
 */
export function settle(kept: readonly Kept[], events: readonly MilkingEvent[]): Settled {
  const groups = new Map<string, readonly Named[]>();
  const namedOf = (wireId: string) => groups.get(wireId) ?? [];
  for (const { sessionKey, wireId, evidence } of kept) {
    const named = namedOnly(evidence);
    if (named === undefined) continue;
    const pinnedKey = evidence.stream?.pinned === true ? sessionKey : undefined;
    groups.set(wireId, [...namedOf(wireId), { wireId, evidence: named, pinnedKey }]);
  }
  const remembered = kept.flatMap(({ evidence }) => evidence.loose ?? []);
  const before = remembered.length === 0 ? remembered : distinct(remembered);
  const said: Statement[] = [];
  for (const event of events) {
    const wireId = wireIdOf(event);
    if (wireId === undefined) said.push(...looseOf(event, groups));
    else groups.set(wireId, addNamed(namedOf(wireId), wireId, event));
  }
  const wanted = new Map<string, Kept>();
  const named = [...groups.values()].flatMap(withKeys);
  const loose = said.length === 0 ? before : distinct([...before, ...said]);
  const owned = loose.length === 0 ? new Map<Named, Statement[]>() : divideLoose(loose, named, wanted);
  for (const { each, sessionKey } of named) {
    const mine = owned.get(each);
    const evidence = mine === undefined ? each.evidence : { ...each.evidence, loose: mine };
    wanted.set(sessionKey, { sessionKey, wireId: each.wireId, evidence });
  }
  const byKey = new Map(kept.map((each) => [each.sessionKey, each]));
  return {
    changed: [...wanted.values()].filter((each) => !isSame(byKey.get(each.sessionKey), each)),
    gone: kept
      .filter(({ sessionKey, evidence }) => !isEmpty(evidence) && !wanted.has(sessionKey))
      .map(({ sessionKey }) => sessionKey),
  };
}

/** Most are untouched, and then the same objects; comparing is for the few that were put together anew. */
function isSame(known: Kept | undefined, { evidence, wireId }: Kept): boolean {
  if (known === undefined || known.wireId !== wireId) return false;
  if (known.evidence === evidence) return true;
  const { stream, records, loose } = known.evidence;
  return (
    isSameStream(stream, evidence.stream) &&
    isSameList(records, evidence.records) &&
    isSameList(loose, evidence.loose)
  );
}

/** A stream with a message that says nothing new has the parts that it had. */
const isSameStream = (left: Stream | undefined, right: Stream | undefined) =>
  left === right ||
  (left !== undefined && right !== undefined && streamParts.every((part) => left[part] === right[part]));
const streamParts = [
  'first',
  'last',
  'end',
  'stats',
  'said',
  'seen',
  'several',
  'clock',
  'conflict',
  'pinned',
] as const;

const isSameList = (left: readonly Statement[] = [], right: readonly Statement[] = []) =>
  left === right ||
  (left.length === right.length &&
    left.every((one, index) => {
      const other = right[index];
      return other !== undefined && (one === other || contentOf(one) === contentOf(other));
    }));

const isEmpty = ({ stream, records, loose }: Evidence) =>
  stream === undefined && records === undefined && loose === undefined;

function namedOnly(evidence: Evidence): Evidence | undefined {
  if (evidence.stream === undefined && evidence.records === undefined) return undefined;
  if (evidence.loose === undefined) return evidence;
  const { stream, records } = evidence;
  return { ...(stream && { stream }), ...(records && { records }) };
}

/** A message without id; none when it repeats what a milking of an earlier version has counted. */
function looseOf(event: MilkingEvent, groups: ReadonlyMap<string, readonly Named[]>): Statement[] {
  const isOld = event.newPoints.length === 0 && event.replaced.length === 0;
  const isCounted = ({ evidence: { stream } }: Named) =>
    stream?.pinned === true && event.at >= stream.first && event.at <= stream.last;
  if (isOld && [...groups.values()].flat().some(isCounted)) return [];
  return [statementOf(event)];
}

interface WithKey {
  each: Named;
  sessionKey: string;
}

/**
 * The keys of the milkings of one id. The earliest has the id alone; where the meter used the number again, the moment
 * tells them apart. Which message came first does not show.
 */
function withKeys(group: readonly Named[]): WithKey[] {
  const [only] = group;
  if (only !== undefined && group.length === 1)
    return [{ each: only, sessionKey: only.pinnedKey ?? only.wireId }];
  const views = group.map((each) => ({ each, anchor: anchorOf(each), tie: tieOf(each) }));
  const sorted = views.toSorted(
    (left, right) => left.anchor - right.anchor || (left.tie < right.tie ? -1 : 1),
  );
  const taken = new Set(group.flatMap(({ pinnedKey }) => pinnedKey ?? []));
  return sorted.map(({ each, anchor }) => {
    if (each.pinnedKey !== undefined) return { each, sessionKey: each.pinnedKey };
    const isFirst = !taken.has(each.wireId);
    const sessionKey = isFirst
      ? each.wireId
      : untaken(`${each.wireId}@${new Date(anchor).toISOString()}`, taken);
    taken.add(sessionKey);
    return { each, sessionKey };
  });
}

/** The first moment that was said of a milking. */
const anchorOf = ({ evidence: { stream, records = [] } }: Named) =>
  Math.min(stream?.first ?? Infinity, ...records.map(({ at }) => at));

function tieOf({ evidence: { stream, records = [] } }: Named): string {
  return JSON.stringify([stream?.said, records.map(contentOf)]);
}

function untaken(key: string, taken: ReadonlySet<string>): string {
  let next = key;
  for (let count = 2; taken.has(next); count++) next = `${key}~${count}`;
  return next;
}

/** Divides the messages without id: into milkings of their own, and among those with an id that they fall into. */
function divideLoose(
  loose: readonly Statement[],
  named: readonly WithKey[],
  wanted: Map<string, Kept>,
): Map<Named, Statement[]> {
  const spans = named.flatMap(({ each }): Span<Named>[] => {
    const { stream } = each.evidence;
    return stream === undefined
      ? []
      : [{ owner: each, first: stream.first, last: stream.last, end: stream.end }];
  });
  const owned = new Map<Named, Statement[]>();
  const taken = new Set(named.map(({ sessionKey }) => sessionKey));
  for (const { owner, statements } of divide(
    loose,
    spans.toSorted((one, other) => one.first - other.first),
  )) {
    const [first] = statements;
    if (first === undefined) continue;
    if (owner !== undefined) {
      owned.set(owner, distinct(statements));
      continue;
    }
    const wireId = momentId(first.at);
    const sessionKey = untaken(wireId, taken);
    taken.add(sessionKey);
    wanted.set(sessionKey, { sessionKey, wireId, evidence: { loose: distinct(statements) } });
  }
  return owned;
}
