// Device profiles: what a device model sends and how it becomes catalogue metrics. Profiles are data, config/profiles/*.yaml.
import * as z from 'zod';
import { envelopeSchema } from './envelope.ts';
import { lorawanProblems, lorawanSchema } from './lorawan.ts';
import { canonicalUnit, unitSchema, type MetricCatalogue } from './metrics.ts';
import { deviceTypeSchema } from './topics.ts';

/** RFC 6901 pointer into a JSON payload. */
const pointerSchema = z.string().regex(/^(\/[^/]+)+$/, "a JSON pointer such as '/quality/fat_percentage'");

const payloadPointSchema = z.strictObject({
  pointer: pointerSchema,
  metric: z.string(),
  /** Unit in the payload; converted to the catalogue's. */
  unit: unitSchema,
  scale: z.number().default(1),
  offset: z.number().default(0),
  required: z.boolean().default(false),
  /** What this model can measure, in the catalogue's unit, where narrower than the catalogue's range; values outside are marked. */
  min: z.number().optional(),
  max: z.number().optional(),
});

/** How a foreign JSON payload maps to an envelope. */
const payloadSchema = z.strictObject({
  /** A device without an assigned profile gets the first one of its type whose pointers all exist and values fit. */
  match: z
    .array(z.union([pointerSchema, z.strictObject({ pointer: pointerSchema, equals: z.array(z.string()) })]))
    .min(1),
  /** Where the time is (ISO 8601 or epoch s/ms); without it, or where it is absent and not required, the time of arrival counts. */
  at: z.strictObject({ pointer: pointerSchema, required: z.boolean().default(true) }),
  id: pointerSchema.optional(),
  session: z
    .strictObject({
      id: pointerSchema.optional(),
      event: z.union([
        z.enum(['start', 'reading', 'end', 'record']),
        z.strictObject({
          pointer: pointerSchema,
          values: z.record(z.string(), z.enum(['start', 'reading', 'end', 'record'])),
          default: z.enum(['start', 'reading', 'end', 'record']),
        }),
      ]),
    })
    .optional(),
  animal: z.strictObject({ rfid: pointerSchema.optional(), id: pointerSchema.optional() }).optional(),
  stall: pointerSchema.optional(),
  battery: pointerSchema.optional(),
  rssi: pointerSchema.optional(),
  points: z.array(payloadPointSchema).default([]),
});
export type PayloadMap = z.infer<typeof payloadSchema>;

export const wordOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export const registerTypes = [
  'bool',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'uint64',
  'int64',
  'float64',
  'bcd16',
  'bcd32',
  'string',
] as const;

const registerSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  table: z.enum(['holding', 'input', 'coil', 'discrete']).default('holding'),
  address: z.int().min(0).max(65_536),
  type: z.enum(registerTypes).default('uint16'),
  /** Registers a `string` occupies. */
  length: z.int().min(1).max(125).optional(),
  word_order: z.enum(wordOrders).optional(),
  scale: z.number().default(1),
  offset: z.number().default(0),
  /** Raw values that mean "no value". */
  sentinels: z.array(z.number()).default([]),
  /** Publishes the scaled value as this metric; without it the register only serves the session block. */
  metric: z.string().optional(),
  unit: unitSchema.optional(),
  /** What this model can measure, in the catalogue's unit, where narrower than the catalogue's range; values outside are marked. */
  min: z.number().optional(),
  max: z.number().optional(),
  /** The value belongs to the current or last milking: it is not published while the stall idles. */
  milking: z.boolean().default(false),
  /** Only these bits of an unsigned integer, counted from the least significant one. */
  bits: z.strictObject({ from: z.int().min(0).max(31), count: z.int().min(1).max(32).default(1) }).optional(),
  /** The raw counter starts again at 0 after this many: what is published goes on counting. */
  rollover: z.number().positive().optional(),
  /** Polling group; without one the register is read every `poll_interval_ms`. */
  group: z.string().optional(),
  /** Only for commands, never polled. */
  write_only: z.boolean().default(false),
});
export type RegisterDefinition = z.infer<typeof registerSchema>;

/** How a device is read over Modbus. */
const modbusSchema = z.strictObject({
  /** 1 when the manual counts registers from 1. */
  address_base: z.union([z.literal(0), z.literal(1)]).default(0),
  word_order: z.enum(wordOrders).default('ABCD'),
  poll_interval_ms: z.int().min(10).default(1000),
  /** Most registers the device returns in one request. */
  max_block: z.int().min(1).max(125).default(125),
  /** Unused registers that may be read along to join two blocks. */
  max_gap: z.int().min(0).max(124).default(8),
  pause_after_connect_ms: z.int().min(0).default(0),
  /** Silence that the device needs between two requests. */
  pause_between_frames_ms: z.int().min(0).max(1000).default(0),
  /** Registers, as the manual counts them, that must not even be read along. */
  illegal: z
    .array(
      z.strictObject({
        table: z.enum(['holding', 'input', 'coil', 'discrete']).default('holding'),
        from: z.int().min(0).max(65_536),
        to: z.int().min(0).max(65_536),
      }),
    )
    .default([]),
  /** Registers that change slowly are read less often. */
  groups: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.strictObject({ interval_ms: z.int().min(10) }))
    .default({}),
  /** What may be written, by name. The value is in the unit of the register, after its scale. */
  commands: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9_]*$/),
        register: z.string(),
        /** Always this value; without it the command brings one, between `min` and `max`. */
        value: z.union([z.number(), z.boolean()]).optional(),
        min: z.number().optional(),
        max: z.number().optional(),
        /** false for registers that show nothing of what was written, such as a "start" button. */
        read_back: z.boolean().default(true),
      }),
    )
    .default([]),
  registers: z.array(registerSchema).min(1),
  /** Registers that tell a milking: its number (counts up, may roll over) and whether milk flows now. */
  session: z
    .strictObject({ counter: z.string(), active: z.string(), rfid: z.string().optional() })
    .optional(),
});
export type ModbusMap = z.infer<typeof modbusSchema>;

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
        expect: envelopeSchema.partial(),
      }),
    )
    .min(1),
});
export type Profile = z.infer<typeof profileSchema>;

/** What is wrong with a profile beyond its shape, as `[path, message]`: names and units against the catalogue, references inside. */
export function profileProblems(
  profile: Profile,
  catalogue: MetricCatalogue,
): { path: (string | number)[]; message: string }[] {
  const problems: { path: (string | number)[]; message: string }[] = [];
  const checkPoint = (path: (string | number)[], metricName: string, unit: string) => {
    const metric = catalogue.get(metricName);
    if (metric === undefined) {
      problems.push({
        path: [...path, 'metric'],
        message: `metric '${metricName}' is not in config/metrics.yaml`,
      });
    } else if (canonicalUnit(unit) !== metric.unit) {
      problems.push({
        path: [...path, 'unit'],
        message: `unit '${unit}' does not convert to ${metricName}'s unit '${metric.unit}'`,
      });
    }
  };
  profile.payload?.points.forEach((point, index) =>
    checkPoint(['payload', 'points', index], point.metric, point.unit),
  );
  profile.lorawan?.points.forEach((point, index) =>
    checkPoint(['lorawan', 'points', index], point.metric, point.unit),
  );
  if (profile.lorawan !== undefined) problems.push(...lorawanProblems(profile.lorawan));
  profile.samples.forEach(({ f_port, hex }, index) => {
    if ((f_port === undefined) !== (hex === undefined))
      problems.push({ path: ['samples', index], message: 'an uplink needs f_port and hex' });
  });
  const registers = profile.modbus?.registers ?? [];
  registers.forEach((register, index) => {
    const path = ['modbus', 'registers', index];
    if (register.metric !== undefined)
      checkPoint(path, register.metric, register.unit ?? catalogue.get(register.metric)?.unit ?? '');
    if (register.type === 'string' && register.length === undefined)
      problems.push({ path, message: 'a string register needs a length' });
    if ((register.type === 'bool') !== (register.table === 'coil' || register.table === 'discrete')) {
      problems.push({
        path: [...path, 'type'],
        message: 'coils and discrete inputs are bool, registers are not',
      });
    }
  });
  for (const [role, name] of Object.entries(profile.modbus?.session ?? {})) {
    const register = registers.find((candidate) => candidate.name === name);
    const path = ['modbus', 'session', role];
    if (register === undefined) problems.push({ path, message: `there is no register named '${name}'` });
    else if (register.group !== undefined)
      problems.push({
        path,
        message: `register '${name}' tells the milking: it cannot be in a slower group`,
      });
  }
  if (profile.modbus !== undefined) problems.push(...modbusProblems(profile.modbus));
  profile.calibration?.metrics.forEach((metric, index) => {
    if (!catalogue.has(metric))
      problems.push({
        path: ['calibration', 'metrics', index],
        message: `metric '${metric}' is not in config/metrics.yaml`,
      });
  });
  if (profile.payload === undefined && profile.modbus === undefined && profile.lorawan === undefined) {
    problems.push({ path: [], message: 'a profile needs a payload, a modbus or a lorawan section' });
  }
  return problems;
}

/** References inside a Modbus map, and types that do not go together. */
function modbusProblems({ registers, groups, commands }: ModbusMap) {
  const problems: { path: (string | number)[]; message: string }[] = [];
  registers.forEach(({ group, bits, type, name }, index) => {
    const path = ['modbus', 'registers', index];
    if (registers.findIndex((other) => other.name === name) !== index)
      problems.push({ path: [...path, 'name'], message: `register '${name}' exists twice` });
    if (group !== undefined && groups[group] === undefined)
      problems.push({
        path: [...path, 'group'],
        message: `there is no group '${group}' under modbus.groups`,
      });
    const width = type === 'uint16' ? 16 : type === 'uint32' ? 32 : 0;
    if (bits !== undefined && bits.from + bits.count > width)
      problems.push({ path: [...path, 'bits'], message: `bits need a uint16 or uint32 that is wide enough` });
  });
  commands.forEach((command, index) => {
    const path = ['modbus', 'commands', index];
    const register = registers.find(({ name }) => name === command.register);
    if (register === undefined)
      problems.push({
        path: [...path, 'register'],
        message: `there is no register named '${command.register}'`,
      });
    else if (register.table === 'input' || register.table === 'discrete')
      problems.push({ path: [...path, 'register'], message: `register '${command.register}' is read-only` });
    else if (register.bits !== undefined || register.type === 'string')
      problems.push({ path: [...path, 'register'], message: 'bits and strings cannot be written' });
  });
  return problems;
}
