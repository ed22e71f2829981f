// A raw MQTT or REST message into what it means: topic, payload shape, units, ranges and plausible time.
import { isEnvelope, quality } from '../../contract/envelope.ts';
import { statusSchema, type DeviceStatus } from '../../contract/status.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import type { Profile } from '../../contract/profile.ts';
import { safeParse } from '../../contract/safe-parse.ts';
import { parseTopic, type TopicAddress, type TopicTemplate } from '../../contract/topics.ts';
import type { DecodedData, DecodedPoint } from './decoded.ts';
import { settleTimes } from './device-time.ts';
import { decodeEnvelope } from './envelope.ts';
import { parseMoment } from './moment.ts';
import { mapPayload, matchesProfile } from './payload-map.ts';

/** What decoding needs to know. */
export interface DecodeContext {
  templates: readonly TopicTemplate[];
  catalogue: MetricCatalogue;
  profiles: ReadonlyMap<string, Profile>;
  /** Profile assigned to a device, if any. */
  assignedProfile: (farm: string, deviceUid: string) => string | undefined;
  kgPerLitre: number;
  /** Time zone (IANA) of a device whose times say no offset: its own, else its farm's. */
  zoneOf: (farm: string, deviceUid: string) => string | undefined;
  maxPayloadBytes: number;
  maxFutureMs: number;
  maxPastMs: number;
}

/** A message is data, a status, not for us (commands, configuration), or dead with a reason. */
export type Decoded =
  | { kind: 'data'; address: TopicAddress; data: DecodedData }
  | { kind: 'status'; address: TopicAddress; status: DeviceStatus; at: number }
  | { kind: 'ignored' }
  | { kind: 'dead'; reason: string };

const dead = (reason: string): Decoded => ({ kind: 'dead', reason });

/** Decodes one message that arrived at `now` (epoch ms). Never throws. */
export function decodeMessage(
  topic: string,
  payload: Uint8Array,
  now: number,
  context: DecodeContext,
): Decoded {
  const address = parseTopic(topic, context.templates);
  if (typeof address === 'string') return dead(address);
  if (address.messageType === 'commands' || address.messageType === 'config') return { kind: 'ignored' };
  if (payload.length > context.maxPayloadBytes) {
    return dead(`payload has ${payload.length} bytes, at most ${context.maxPayloadBytes} are taken`);
  }
  const json = parseJson(payload);
  if ('error' in json) return dead(`not JSON: ${json.error}`);
  if (address.messageType === 'status') return decodeStatus(json.value, address, now, context);
  if (address.messageType === 'alerts') return dead('alerts of devices are not taken, only their data');
  const data = decodeData(json.value, address, context);
  if (typeof data === 'string') return dead(data);
  return checkData(data, address, now, context);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(payload: Uint8Array): { value: unknown } | { error: string } {
  try {
    return { value: JSON.parse(utf8.decode(payload)) as unknown };
  } catch (error) {
    return { error: (error instanceof Error ? error.message : 'unreadable').slice(0, 200) };
  }
}

function decodeStatus(value: unknown, address: TopicAddress, now: number, context: DecodeContext): Decoded {
  const parsed = safeParse(statusSchema, value);
  if (!parsed.success)
    return dead(
      'status: expected {"state": "online" | "degraded" | "offline", "at"?, "detail"?, "command"?: {"id", "command", "result"}}',
    );
  const said = parsed.data.at === undefined ? now : (parseMoment(parsed.data.at) ?? now);
  const isOld = said < now - context.maxPastMs;
  // The broker repeats retained statuses at every connect, however old. An answer to a command is as old as its clock makes it.
  if (isOld && parsed.data.command === undefined) return { kind: 'ignored' };
  const at = isOld || said > now + context.maxFutureMs ? now : said;
  return { kind: 'status', address, status: parsed.data, at };
}

function decodeData(value: unknown, address: TopicAddress, context: DecodeContext): DecodedData | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'the payload is not a JSON object';
  if (isEnvelope(value)) return decodeEnvelope(value, context.catalogue);
  const assigned = context.assignedProfile(address.farm, address.deviceUid);
  const profile =
    assigned === undefined ? findProfile(value, address, context) : context.profiles.get(assigned);
  if (profile?.payload === undefined) {
    const names = candidates(address, context).map(({ profile: name }) => name);
    if ('v' in value && 'points' in value) return 'an envelope has "v": 1 and points';
    return names.length === 0
      ? `no profile maps JSON of device type ${address.deviceType}; send envelope v1 or add one to config/profiles/`
      : `the payload fits none of the profiles for ${address.deviceType} (${names.join(', ')}) and is not envelope v1`;
  }
  const zone = context.zoneOf(address.farm, address.deviceUid);
  return mapPayload(value, profile, profile.payload, { kgPerLitre: context.kgPerLitre, zone });
}

const candidates = (address: TopicAddress, context: DecodeContext) =>
  [...context.profiles.values()].filter(
    (profile) => profile.payload && profile.device_type === address.deviceType,
  );

function findProfile(value: unknown, address: TopicAddress, context: DecodeContext): Profile | undefined {
  return candidates(address, context).find(
    (profile) => profile.payload && matchesProfile(value, profile.payload),
  );
}

/** Times that can be, catalogue ranges; a finished milking needs a valid yield. */
function checkData(data: DecodedData, address: TopicAddress, now: number, context: DecodeContext): Decoded {
  const reason = settleTimes(data, now, context);
  if (reason !== undefined) return dead(reason);
  for (const point of data.points) {
    const { min = -Infinity, max = Infinity } = context.catalogue.get(point.metric) ?? {};
    if (point.value >= min && point.value <= max) continue;
    if (data.session?.event === 'record' && point.metric === 'milk_yield') {
      return dead(`milk_yield ${point.value} kg is outside ${min}…${max} kg`);
    }
    if (point.quality === quality.good) point.quality = quality.outOfRange;
  }
  if (data.session?.event === 'record' && !data.points.some(isUsableYield)) {
    return dead('a finished milking needs a milk_yield of good quality');
  }
  return { kind: 'data', address, data };
}

/** A clock that is not set says nothing against the milk. */
const isUsableYield = (point: DecodedPoint) =>
  (point.quality === quality.good || point.quality === quality.clockUnsynchronised) &&
  (point.metric === 'milk_yield' || point.metric === 'milk_yield_increment');
