// A LoRaWAN device model: a profile's mapping on top of the codec that it names. Pure.
import { quality } from '../../contract/envelope.ts';
import { compileDeviceProfile, type LorawanMap } from '../../contract/lorawan.ts';
import { toCanonical } from '../../contract/metrics.ts';
import { nearMatch } from '../../contract/near-match.ts';
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

export interface Model {
  /** The profile's name. */
  name: string;
  deviceType: DeviceType;
  /** Reads an uplink; a string is the reason why it cannot be read. Never throws, whatever the bytes are. */
  read: (fPort: number, bytes: Uint8Array) => { values: Measured[]; note?: string } | string;
  commands: LorawanMap['commands'];
  /** Whether a ChirpStack device profile of that name is this model. */
  fits: (deviceProfileName: string) => boolean;
}

type Rule = Omit<LorawanMap['points'][number], 'field' | 'min' | 'max'> & {
  min?: number | undefined;
  max?: number | undefined;
};

/** The model that a profile describes; undefined when it is no LoRaWAN profile. `kgPerLitre` is the density of milk. */
export function toModel(profile: Profile, kgPerLitre: number): Model | undefined {
  const { profile: name, device_type: deviceType, lorawan: map } = profile;
  if (map === undefined) return undefined;
  const codec = codecs[map.codec];
  const rules = rulesOf(map);
  const pattern = map.device_profile === undefined ? undefined : compileDeviceProfile(map.device_profile);
  return {
    name,
    deviceType,
    read: (fPort, bytes) => {
      const reading = codec.decode(fPort, bytes);
      if (typeof reading === 'string') return reading;
      const values = reading.fields.flatMap((field) =>
        (rules.get(field.field) ?? []).flatMap((rule) => measure(field, rule, kgPerLitre)),
      );
      return { values, ...(reading.note === undefined ? {} : { note: reading.note }) };
    },
    commands: map.commands,
    fits: (given) => given.toLowerCase() === name || pattern?.test(given) === true,
  };
}

function rulesOf({ points, battery }: LorawanMap): ReadonlyMap<string, Rule[]> {
  const percent =
    battery === undefined ? [] : [{ ...battery, metric: 'battery', unit: '%', offset: 0 } as const];
  return Map.groupBy([...percent, ...points], ({ field }) => field);
}

function measure({ value: raw, time, ageMs }: CodecField, rule: Rule, kgPerLitre: number): Measured[] {
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
  if (lorawan === undefined) return [];
  const { fields } = codecs[lorawan.codec];
  const named = [...lorawan.points, ...(lorawan.battery === undefined ? [] : [lorawan.battery])];
  return named
    .filter(({ field }) => !fields.includes(field))
    .map(({ field }) => {
      const near = nearMatch(field, fields);
      const hint = near === undefined ? `known: ${fields.join(', ')}` : `did you mean '${near}'?`;
      return `profile '${profile}': codec ${lorawan.codec} has no field '${field}'; ${hint}`;
    });
}
