// Foreign JSON payloads into decoded messages, as a device profile says.
import { quality } from '../../contract/envelope.ts';
import { toCanonical } from '../../contract/metrics.ts';
import type { Profile } from '../../contract/profile.ts';
import type { PayloadMap } from '../../contract/profile/payload.ts';
import type { DecodedData, DecodedPoint, SessionEvent } from './decoded.ts';
import { parseMoment } from './moment.ts';
import { atPointer, toNumber, toWord } from './pointer.ts';

/** Whether a payload looks like the ones that the profile maps. */
export function matchesProfile(payload: unknown, map: PayloadMap): boolean {
  return map.match.every((condition) => {
    if (typeof condition === 'string') return atPointer(payload, condition) !== undefined;
    const word = toWord(atPointer(payload, condition.pointer));
    return word !== undefined && condition.equals.includes(word);
  });
}

/** Maps a payload; a string is the reason why it cannot be taken. `kgPerLitre` is the density of milk. */
export function mapPayload(
  payload: unknown,
  profile: Profile,
  map: PayloadMap,
  kgPerLitre: number,
): DecodedData | string {
  const where = `profile ${profile.profile}`;
  const rawAt = atPointer(payload, map.at.pointer);
  const at = parseMoment(rawAt);
  if (at === undefined && (rawAt !== undefined || map.at.required)) {
    return `${where}: ${map.at.pointer}: ${rawAt === undefined ? 'the time is missing' : `${show(rawAt)} is not a time`}`;
  }
  const points: DecodedPoint[] = [];
  for (const point of map.points) {
    const raw = atPointer(payload, point.pointer);
    if (raw === undefined || raw === null) {
      if (point.required) return `${where}: ${point.pointer} is missing`;
      continue;
    }
    const number = toNumber(raw);
    if (number === undefined) return `${where}: ${point.pointer}: ${show(raw)} is not a number`;
    const value = toCanonical(number * point.scale + point.offset, point.unit, kgPerLitre);
    if (!Number.isFinite(value)) return `${where}: ${point.pointer}: ${show(raw)} is too large`;
    const { min = -Infinity, max = Infinity } = point;
    const mark = value < min || value > max ? quality.outOfRange : quality.good;
    points.push({ metric: point.metric, time: at ?? Number.NaN, value, quality: mark });
  }
  for (const metric of ['battery', 'rssi'] as const) {
    const pointer = map[metric];
    const value = pointer === undefined ? undefined : toNumber(atPointer(payload, pointer));
    if (value !== undefined) points.push({ metric, time: at ?? Number.NaN, value, quality: 0 });
  }
  const word = (pointer: string | undefined) =>
    pointer === undefined ? undefined : toWord(atPointer(payload, pointer));
  const rfid = word(map.animal?.rfid)?.replaceAll(' ', '');
  const isTag = rfid !== undefined && /^\d{15}$/.test(rfid);
  return {
    at,
    points,
    rfid: isTag ? rfid : undefined,
    // A tag of another shape still says which animal the device meant.
    animalRef: word(map.animal?.id) ?? (isTag ? undefined : rfid),
    session: map.session && sessionOf(payload, map.session, word(map.session.id)),
    ...(map.id === undefined ? {} : { messageId: word(map.id) }),
    stall: word(map.stall),
    profile: profile.profile,
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
