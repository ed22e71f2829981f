// The `lorawan:` section of gateway.yaml.
import * as z from 'zod';
import { rfidSchema } from '../../contract/animal-tag.ts';
import { nearMatch } from '../../contract/near-match.ts';
import { deviceTypeSchema, type DeviceType } from '../../contract/topics.ts';
import { nameSchema } from '../shared/config.ts';
import type { Site } from '../shared/protocol.ts';
import { devEuiSchema } from './events.ts';
import { toModel, unknownFields, type Model } from './model.ts';

const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === '' ? undefined : text));

const mqttSchema = z.strictObject({
  url: z.string().min(1).describe('The broker that ChirpStack publishes on, often the farm’s own'),
  username: optionalText.describe('Account that may read application/#'),
  password: optionalText.describe('Its password'),
});
const httpSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
  port: z.coerce.number().int().min(0).max(65_535).describe('0 takes any free port and logs it'),
  token: z
    .string()
    .min(16, 'at least 16 characters')
    .describe(
      'ChirpStack sends it as `Authorization: Bearer <token>`, one of the headers of the integration',
    ),
});
const deviceSchema = z.strictObject({
  dev_eui: devEuiSchema.describe('16 hexadecimal digits'),
  uid: nameSchema.describe('Device uid, as in the topic'),
  profile: z.string().optional().describe('Profile that reads its uplinks'),
  type: deviceTypeSchema.optional().describe('Device type, where the profile does not say it'),
  rfid: rfidSchema.optional().describe('Ear tag of the animal that wears it'),
  animal_id: z.string().max(64).optional().describe('Farm number of that animal'),
  stall: z.string().max(32).optional().describe('Milking point'),
});

export const sectionSchema = z
  .strictObject({
    mqtt: mqttSchema.optional().describe('ChirpStack’s MQTT integration'),
    http: httpSchema.optional().describe('ChirpStack’s HTTP integration posts here'),
    unknown_devices: z
      .enum(['discover', 'ignore'])
      .default('discover')
      .describe(
        'Devices that are not listed: published under their device EUI, 5,000 at most, or counted only',
      ),
    unknown_device_type: deviceTypeSchema
      .default('temperature')
      .describe(
        'Of a device that neither fits a profile nor says its type in a ChirpStack tag `device_type`',
      ),
    profiles: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        'Our profile by the name of the ChirpStack device profile, where its own pattern does not find it',
      ),
    devices: z.array(deviceSchema).default([]).describe('Devices known beforehand'),
  })
  .describe('LoRaWAN devices by way of ChirpStack');
export type Section = z.infer<typeof sectionSchema>;

export interface ListedDevice {
  devEui: string;
  uid: string;
  model: Model | undefined;
  type: DeviceType | undefined;
  rfid: string | undefined;
  animalId: string | undefined;
  stall: string | undefined;
}

export interface Settings {
  mqtt: Section['mqtt'];
  http: Section['http'];
  discover: boolean;
  unknownDeviceType: DeviceType;
  /** Every LoRaWAN profile, by its name. */
  models: ReadonlyMap<string, Model>;
  /** By ChirpStack's device profile name. */
  assigned: ReadonlyMap<string, Model>;
  /** By device EUI. */
  devices: ReadonlyMap<string, ListedDevice>;
}

/** Looks up profiles and claims uids. */
export function resolveSection(section: Section, site: Site): Settings {
  const models = new Map<string, Model>();
  for (const profile of site.profiles.values()) {
    const model = toModel(profile, site.kgPerLitre);
    if (model !== undefined) models.set(model.name, model);
    for (const problem of unknownFields(profile)) site.complain([], problem);
  }
  const modelAt = (name: string, path: readonly (string | number)[]): Model | undefined => {
    const model = models.get(name);
    if (model !== undefined) return model;
    const names = [...models.keys()];
    const near = nearMatch(name, names);
    const hint = near === undefined ? `known: ${names.join(', ')}` : `did you mean '${near}'?`;
    site.complain(path, `there is no LoRaWAN profile '${name}'; ${hint}`);
    return undefined;
  };
  if (section.mqtt === undefined && section.http === undefined)
    site.complain([], 'nothing to listen to: add mqtt, http or both');
  const assigned = new Map<string, Model>();
  for (const [deviceProfile, name] of Object.entries(section.profiles)) {
    const model = modelAt(name, ['profiles', deviceProfile]);
    if (model !== undefined) assigned.set(deviceProfile, model);
  }
  const devices = new Map<string, ListedDevice>();
  section.devices.forEach((device, index) => {
    const path = ['devices', index];
    if (devices.has(device.dev_eui))
      site.complain([...path, 'dev_eui'], `device EUI ${device.dev_eui} stands here twice`);
    site.claim(device.uid, path);
    devices.set(device.dev_eui, {
      devEui: device.dev_eui,
      uid: device.uid,
      model: device.profile === undefined ? undefined : modelAt(device.profile, [...path, 'profile']),
      type: device.type,
      rfid: device.rfid,
      animalId: device.animal_id,
      stall: device.stall,
    });
  });
  return {
    mqtt: section.mqtt,
    http: section.http,
    discover: section.unknown_devices === 'discover',
    unknownDeviceType: section.unknown_device_type,
    models,
    assigned,
    devices,
  };
}
