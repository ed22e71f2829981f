// Reads one sample of a profile with the code that reads such a device in operation, whatever its protocol.
import { decodeMessage } from '../../../connector/decode/message.ts';
import type { DecodedData } from '../../../connector/decode/decoded.ts';
import type { Envelope } from '../../../contract/envelope.ts';
import type { LorawanMap } from '../../../contract/lorawan.ts';
import type { MetricCatalogue } from '../../../contract/metrics.ts';
import type { Profile } from '../../../contract/profile.ts';
import type { ModbusMap } from '../../../contract/profile/modbus.ts';
import { canonicalTemplate, compileTopicTemplate } from '../../../contract/topics.ts';
import { readEvent } from '../../../gateways/lorawan/events.ts';
import { interpret } from '../../../gateways/lorawan/interpret.ts';
import { toModel } from '../../../gateways/lorawan/model.ts';
import { decodeBlocks } from '../../../gateways/modbus/decode.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';
import { toReading } from '../../../gateways/modbus/reading.ts';

type Sample = Profile['samples'][number];
/** Milk's usual density. */
const kgPerLitre = 1.03;

export interface SampleContext {
  catalogue: MetricCatalogue;
  /** Among these a JSON payload has to find its profile. */
  profiles: ReadonlyMap<string, Profile>;
}

/** What a sample says; a string is why it says nothing. Undefined when the sample has no data. */
export function readSample(
  profile: Profile,
  sample: Sample,
  context: SampleContext,
): Omit<Envelope, 'v'> | string | undefined {
  const at = sample.expect.at === undefined ? 0 : new Date(sample.expect.at).getTime();
  const { payload, registers, f_port: fPort, hex, object } = sample;
  if (payload !== undefined) return readJson(profile, payload, context);
  if (registers !== undefined)
    return profile.modbus === undefined
      ? 'registers need a modbus section'
      : readRegisters(profile.modbus, registers, at);
  const isUplink = (fPort !== undefined && hex !== undefined) || object !== undefined;
  if (!isUplink) return undefined;
  return profile.lorawan === undefined
    ? 'an uplink needs a lorawan section'
    : readUplink(profile, { fPort, hex, object, at });
}

/** The envelope of the first poll that finds these registers; what a sample does not name is 0. */
function readRegisters(map: ModbusMap, registers: NonNullable<Sample['registers']>, at: number): Envelope {
  const blocks = planReads(map).flatMap((plan) => plan.blocks);
  const data = blocks.map(({ table, start, length }) =>
    Array.from({ length }, (_, i) => registers[table]?.[String(start + i + map.address_base)] ?? 0),
  );
  const values = decodeBlocks(map, blocks, data);
  const given = { at, previous: { counters: {} }, kgPerLitre, isSession: map.session !== undefined };
  return toReading({ map, stall: undefined, calibration: {} }, values, given).envelope;
}

/** The envelope of an uplink as ChirpStack hands it over. */
function readUplink(
  profile: Profile & { lorawan?: LorawanMap | undefined },
  {
    fPort,
    hex = '',
    object,
    at,
  }: Partial<Pick<Sample, 'hex' | 'object'>> & { fPort: number | undefined; at: number },
): Envelope | string {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const deviceInfo = { devEui: '0000000000000000', deviceProfileName: profile.profile };
  const event = readEvent('up', { deviceInfo, fPort, data: bytes.toString('base64'), object });
  if (typeof event === 'string') return event;
  const model = toModel(profile, kgPerLitre);
  const { envelope, state } = interpret(event, { model, arrivedAt: at });
  const isRefused =
    object === undefined
      ? typeof model?.read?.(fPort ?? 0, bytes) !== 'object'
      : envelope?.points.length === 0;
  return envelope === undefined || isRefused ? (state?.detail ?? 'nothing is said') : envelope;
}

/** The message that the connector makes of a payload on a topic of this profile's device type. */
function readJson(
  profile: Profile,
  payload: unknown,
  { catalogue, profiles }: SampleContext,
): Omit<Envelope, 'v'> | string {
  const decoded = decodeMessage(
    `dairy/farm1/${profile.device_type}/device-1/data`,
    Buffer.from(JSON.stringify(payload)),
    0,
    {
      templates: [compileTopicTemplate(canonicalTemplate)],
      catalogue,
      profiles,
      assignedProfile: () => undefined,
      kgPerLitre,
      zoneOf: () => undefined,
      maxPayloadBytes: 262_144,
      maxFutureMs: Infinity,
      maxPastMs: Infinity,
    },
  );
  if (decoded.kind === 'dead') return decoded.reason;
  if (decoded.kind !== 'data') return `taken as ${decoded.kind}`;
  if (decoded.data.profile !== profile.profile)
    return `mapped by profile '${decoded.data.profile ?? 'none'}': its match comes first`;
  return toEnvelope(decoded.data);
}

function toEnvelope({ at = 0, points, rfid, animalRef, session, stall }: DecodedData): Omit<Envelope, 'v'> {
  const animal = {
    ...(rfid === undefined ? {} : { rfid }),
    ...(animalRef === undefined ? {} : { id: animalRef }),
  };
  return {
    at,
    points: points.map(({ metric, time, value, quality }) => ({
      m: metric,
      v: value,
      ...(quality === 0 ? {} : { q: quality }),
      ...(Number.isNaN(time) || time === at ? {} : { t: time }),
    })),
    ...(Object.keys(animal).length === 0 ? {} : { animal }),
    // Without an id it belongs to the open milking, whichever that is.
    ...(session?.id === undefined ? {} : { session: { id: session.id, event: session.event } }),
    ...(stall === undefined ? {} : { stall }),
  };
}
