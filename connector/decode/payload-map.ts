// Foreign JSON payloads into decoded messages, as a device profile says.
import { toTag } from '../../contract/animal-tag.ts';
import { quality } from '../../contract/envelope.ts';
import { toCanonical } from '../../contract/units.ts';
import type { Profile } from '../../contract/profile.ts';
import type { PayloadMap } from '../../contract/profile/payload.ts';
import type { DecodedData, DecodedPoint, SessionEvent } from './decoded.ts';
import { momentIn } from './moment.ts';
import { atPointer, toNumber, toWord } from '../../contract/pointer.ts';

/** Whether a payload looks like the ones that the profile maps. */
export function matchesProfile(payload: unknown, map: PayloadMap): boolean {
  return map.match.every((condition) => {
    if (typeof condition === 'string') return atPointer(payload, condition) !== undefined;
    const word = toWord(atPointer(payload, condition.pointer));
    return word !== undefined && condition.equals.includes(word);
  });
}

/** What a payload's profile does not say: milk's density, and the time zone of the device or its farm. */
export interface Surroundings {
  kgPerLitre: number;
  zone: string | undefined;
}

/** Maps a payload; a string is the reason why it cannot be taken. */
export function mapPayload(
  payload: unknown,
  profile: Profile,
  map: PayloadMap,
  { kgPerLitre, zone }: Surroundings,
): DecodedData | string {
  const where = `profile ${profile.profile}`;
  const rawAt = atPointer(payload, map.at.pointer);
  if (rawAt === undefined && map.at.required) return `${where}: ${map.at.pointer}: the time is missing`;
  const unread: string[] = [];
  const moment = rawAt === undefined ? undefined : momentIn(rawAt, () => map.zone ?? zone);
  if (moment !== undefined && 'problem' in moment) {
    const reason = `${where}: ${map.at.pointer}: ${show(rawAt)} ${moment.problem}`;
    if (map.at.required || moment.isLocal) return reason;
    unread.push(reason);
  }
  const time = moment !== undefined && 'time' in moment ? moment : undefined;
  const at = time?.time;
  // An hour that the clocks show twice, or not at all; or a time that nobody can read.
  const isDoubtful = moment !== undefined && time?.isExact !== true;
  const usual = isDoubtful ? quality.clockUnsynchronised : quality.good;
  const points: DecodedPoint[] = [];
  for (const point of map.points) {
    const raw = atPointer(payload, point.pointer);
    if (raw === undefined || raw === null) {
      if (point.required) return `${where}: ${point.pointer} is missing`;
      continue;
    }
    const number = toNumber(raw);
    const value =
      number === undefined
        ? Number.NaN
        : toCanonical(number * point.scale + point.offset, point.unit, kgPerLitre);
    if (!Number.isFinite(value)) {
      const problem = number === undefined ? 'is not a number' : 'is too large';
      const reason = `${where}: ${point.pointer}: ${show(raw)} ${problem}`;
      if (point.required) return reason;
      unread.push(reason);
      continue;
    }
    const { min = -Infinity, max = Infinity } = point;
    const mark = value < min || value > max ? quality.outOfRange : usual;
    points.push({ metric: point.metric, time: at ?? Number.NaN, value, quality: mark });
  }
  for (const metric of ['battery', 'rssi'] as const) {
    const pointer = map[metric];
    const raw = pointer === undefined ? undefined : atPointer(payload, pointer);
    const value = toNumber(raw);
    if (value === undefined && raw !== undefined && raw !== null)
      unread.push(`${where}: ${pointer ?? ''}: ${show(raw)} is not a number`);
    if (value !== undefined) points.push({ metric, time: at ?? Number.NaN, value, quality: usual });
  }
  const [first] = unread;
  // What nothing of could be read is no message.
  if (first !== undefined && points.length === 0 && map.session === undefined && map.animal === undefined)
    return first;
  const word = (pointer: string | undefined) =>
    pointer === undefined ? undefined : toWord(atPointer(payload, pointer));
  const given = word(map.animal?.rfid);
  const rfid = toTag(given ?? '');
  return {
    at,
    points,
    rfid,
    // What is no tag still says which animal the device meant.
    animalRef: word(map.animal?.id) ?? (rfid === undefined ? given : undefined),
    session: map.session && sessionOf(payload, map.session, word(map.session.id)),
    ...(map.id === undefined ? {} : { messageId: word(map.id) }),
    stall: word(map.stall),
    profile: profile.profile,
    ...(unread.length === 0 ? {} : { unread }),
  };
}

function sessionOf(payload: unknown, map: NonNullable<PayloadMap['session']>, id: string | undefined) {
  const revision = map.revision === undefined ? undefined : toNumber(atPointer(payload, map.revision));
  const isCount = revision !== undefined && Number.isSafeInteger(revision) && revision >= 0;
  return { id, event: eventOf(payload, map.event), ...(isCount ? { revision } : {}) };
}

function eventOf(payload: unknown, event: NonNullable<PayloadMap['session']>['event']): SessionEvent {
  if (typeof event === 'string') return event;
  const word = toWord(atPointer(payload, event.pointer));
  const named = word !== undefined && Object.hasOwn(event.values, word) ? event.values[word] : undefined;
  return named ?? event.default;
}

/** A value for a person; what is nested may be nested too deeply for JSON.stringify. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value).slice(0, 80);
}
