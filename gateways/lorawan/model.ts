// A LoRaWAN device model: a profile's mapping on top of the codec that it names. Pure.
import { quality } from '../../contract/envelope.ts';
import { compileDeviceProfile, type LorawanMap } from '../../contract/lorawan.ts';
import { toCanonical } from '../../contract/units.ts';
import { nearMatch } from '../../contract/near-match.ts';
import { atPointer, toNumber } from '../../contract/pointer.ts';
import type { Profile } from '../../contract/profile.ts';
import type { DeviceType } from '../../contract/topics.ts';
import type { CodecField } from './codecs/codec.ts';
import { codecs } from './codecs/index.ts';

/** One value in the catalogue's unit; `quality` where it is not good, `time` and `ageMs` as in the codec's field. */
export interface Measured {
  metric: string;
  value: number;
  quality?: number;
  time?: number;
  ageMs?: number;
}

/** What an uplink says; `note` is for a person. */
interface Uplink {
  values: Measured[];
  note?: string;
}

export interface Model {
  /** The profile's name. */
  name: string;
  deviceType: DeviceType;
  /** Reads an uplink's bytes; a string is the reason why it cannot be read. Never throws. Undefined when no codec of ours does. */
  read: ((fPort: number, bytes: Uint8Array) => Uplink | string) | undefined;
  /** Reads what ChirpStack's codec made of an uplink, as far as the profile says what it means; undefined when it says nothing. */
  readObject: ((object: unknown) => Uplink) | undefined;
  commands: LorawanMap['commands'];
  /** Whether a ChirpStack device profile of that name is this model. */
  fits: (deviceProfileName: string) => boolean;
}

type Rule = Omit<LorawanMap['object'][number], 'pointer' | 'min' | 'max'> & {
  min?: number | undefined;
  max?: number | undefined;
};

/** The model that a profile describes; undefined when it is no LoRaWAN profile. `kgPerLitre` is the density of milk. */
export function toModel(profile: Profile, kgPerLitre: number): Model | undefined {
  const { profile: name, device_type: deviceType, lorawan: map } = profile;
  if (map === undefined) return undefined;
  const pattern = map.device_profile === undefined ? undefined : compileDeviceProfile(map.device_profile);
  return {
    name,
    deviceType,
    read: readerOf(map, kgPerLitre),
    readObject: map.object.length === 0 ? undefined : (object) => readObject(object, map.object, kgPerLitre),
    commands: map.commands,
    fits: (given) => given.toLowerCase() === name || pattern?.test(given) === true,
  };
}

function readerOf(map: LorawanMap, kgPerLitre: number): Model['read'] {
  if (map.codec === undefined) return undefined;
  const codec = codecs[map.codec];
  const rules = rulesOf(map);
  return (fPort, bytes) => {
    const reading = codec.decode(fPort, bytes);
    if (typeof reading === 'string') return reading;
    const values = reading.fields.flatMap((field) =>
      (rules.get(field.field) ?? []).flatMap((rule) => measure(field, rule, kgPerLitre)),
    );
    return { values, ...(reading.note === undefined ? {} : { note: reading.note }) };
  };
}

function readObject(object: unknown, map: LorawanMap['object'], kgPerLitre: number): Uplink {
  const values: Measured[] = [];
  const unread: string[] = [];
  for (const { pointer, ...rule } of map) {
    const raw = atPointer(object, pointer);
    const value = toNumber(raw);
    if (value !== undefined) values.push(...measure({ value }, rule, kgPerLitre));
    else if (raw !== undefined && raw !== null) unread.push(pointer);
  }
  return { values, ...(unread.length === 0 ? {} : { note: `no numbers: ${unread.join(', ')}` }) };
}

function rulesOf({ points, battery }: LorawanMap): ReadonlyMap<string, Rule[]> {
  const percent =
    battery === undefined ? [] : [{ ...battery, metric: 'battery', unit: '%', offset: 0 } as const];
  return Map.groupBy([...percent, ...points], ({ field }) => field);
}

function measure(
  { value: raw, time, ageMs }: Omit<CodecField, 'field'>,
  rule: Rule,
  kgPerLitre: number,
): Measured[] {
  if (rule.sentinels.includes(raw)) return [];
  const scaled = toCanonical(raw * rule.scale + rule.offset, rule.unit, kgPerLitre);
  // Without the noise that scaling leaves: 28.29, not 28.290000000000003.
  const value = Number(scaled.toPrecision(15));
  if (!Number.isFinite(value)) return [];
  const { min = -Infinity, max = Infinity } = rule;
  return [
    {
      metric: rule.metric,
      value,
      ...(value < min || value > max ? { quality: quality.outOfRange } : {}),
      ...(time === undefined ? {} : { time }),
      ...(ageMs === undefined ? {} : { ageMs }),
    },
  ];
}

/** Fields that a profile maps and its codec does not have. */
export function unknownFields({ profile, lorawan }: Profile): string[] {
  if (lorawan?.codec === undefined) return [];
  const { fields } = codecs[lorawan.codec];
  const named = [...lorawan.points, ...(lorawan.battery === undefined ? [] : [lorawan.battery])];
  const { codec } = lorawan;
  return named
    .filter(({ field }) => !fields.includes(field))
    .map(({ field }) => {
      const near = nearMatch(field, fields);
      const hint = near === undefined ? `known: ${fields.join(', ')}` : `did you mean '${near}'?`;
      return `profile '${profile}': codec ${codec} has no field '${field}'; ${hint}`;
    });
}
