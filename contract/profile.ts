// Device profiles: what a device model sends and how it becomes catalogue metrics. Profiles are data, config/profiles/*.yaml.
import * as z from 'zod';
import { envelopeSchema } from './envelope.ts';
import { lorawanProblems, lorawanSchema } from './lorawan.ts';
import { unknownMetric, type MetricCatalogue } from './metrics.ts';
import { modbusProblems, modbusSchema } from './profile/modbus.ts';
import { payloadProblems, payloadSchema } from './profile/payload.ts';
import type { Problem } from './profile/problem.ts';
import { deviceTypeSchema } from './topics.ts';
import { toBuiltIn } from './units.ts';

/** How often a device's measuring must be compared with a reference, and how. */
const calibrationSchema = z.strictObject({
  interval_days: z.int().min(1),
  metrics: z.array(z.string()).min(1),
  method: z.string().optional(),
});

export const profileSchema = z.strictObject({
  profile: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower case, digits and dashes'),
  device_type: deviceTypeSchema,
  manufacturer: z.string(),
  model: z.string(),
  description: z.string(),
  payload: payloadSchema.optional(),
  modbus: modbusSchema.optional(),
  lorawan: lorawanSchema.optional(),
  calibration: calibrationSchema.optional(),
  /** Golden cases: every profile is tested with its own. */
  samples: z
    .array(
      z.strictObject({
        name: z.string(),
        /** A JSON payload … */
        payload: z.unknown().optional(),
        /** … or raw registers, by table and address as written in the profile. */
        registers: z
          .partialRecord(z.enum(['holding', 'input', 'coil', 'discrete']), z.record(z.string(), z.int()))
          .optional(),
        /** … or an uplink: its port and its bytes in hexadecimal. */
        f_port: z.int().min(0).max(255).optional(),
        hex: z
          .string()
          .regex(/^(?:[0-9a-fA-F]{2} ?)+$/, 'bytes in hexadecimal')
          .optional(),
        /** … or what ChirpStack's codec made of one. */
        object: z.record(z.string(), z.unknown()).optional(),
        expect: envelopeSchema.partial(),
      }),
    )
    .min(1),
});
export type Profile = z.infer<typeof profileSchema>;

/** What is wrong with a profile beyond its shape: names and units against the catalogue, references inside. */
export function profileProblems(profile: Profile, catalogue: MetricCatalogue): Problem[] {
  const { payload, modbus, lorawan } = profile;
  const problems = [
    ...(payload === undefined ? [] : payloadProblems(payload, catalogue)),
    ...(lorawan === undefined ? [] : lorawanProblems(lorawan, catalogue)),
    ...(modbus === undefined ? [] : modbusProblems(modbus, catalogue)),
  ];
  profile.samples.forEach(({ name, payload: json, registers, object, f_port, hex }, index) => {
    if (profile.samples.findIndex((other) => other.name === name) !== index)
      problems.push({ path: ['samples', index, 'name'], message: `sample '${name}' exists twice` });
    if ([json, registers, object, hex ?? f_port].filter((part) => part !== undefined).length !== 1)
      problems.push({
        path: ['samples', index],
        message: 'a sample has one of payload, registers, object, and f_port with hex',
      });
    if ((f_port === undefined) !== (hex === undefined))
      problems.push({ path: ['samples', index], message: 'an uplink needs f_port and hex' });
  });
  profile.calibration?.metrics.forEach((metric, index) => {
    if (!catalogue.has(metric))
      problems.push({
        path: ['calibration', 'metrics', index],
        message: unknownMetric(metric, catalogue, 'config/metrics.yaml'),
      });
  });
  if (payload === undefined && modbus === undefined && lorawan === undefined)
    problems.push({ path: [], message: 'a profile needs a payload, a modbus or a lorawan section' });
  return problems;
}

interface Scaled {
  unit?: string | undefined;
  scale: number;
  offset: number;
}

/** The profile with units of config/metrics.yaml written as built-in ones: their factor goes into scale and offset. */
export function withBuiltInUnits(profile: Profile, { units = new Map() }: MetricCatalogue): Profile {
  if (units.size === 0) return profile;
  const rewrite = <T extends Scaled>(point: T): T => {
    if (point.unit === undefined || units.get(point.unit)?.to === undefined) return point;
    const zero = toBuiltIn(point.offset, point.unit, units);
    const one = toBuiltIn(point.scale + point.offset, point.unit, units);
    return { ...point, unit: zero.unit, scale: one.value - zero.value, offset: zero.value };
  };
  const { payload, modbus, lorawan } = profile;
  return {
    ...profile,
    ...(payload === undefined ? {} : { payload: { ...payload, points: payload.points.map(rewrite) } }),
    ...(modbus === undefined ? {} : { modbus: { ...modbus, registers: modbus.registers.map(rewrite) } }),
    ...(lorawan === undefined
      ? {}
      : {
          lorawan: {
            ...lorawan,
            points: lorawan.points.map(rewrite),
            object: lorawan.object.map(rewrite),
          },
        }),
  };
}
