// The `modbus:` section of a device profile: how a device is read and written over Modbus.
import * as z from 'zod';
import { rangeProblems, unitSchema, type MetricCatalogue } from '../metrics.ts';
import { metricProblems, type Problem } from './problem.ts';

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
export const modbusSchema = z.strictObject({
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

/** What is wrong with a Modbus map beyond its shape: metrics and units, references inside, types that do not go together. */
export function modbusProblems(map: ModbusMap, catalogue: MetricCatalogue): Problem[] {
  return [
    ...map.registers.flatMap((register, index) => [
      ...registerProblems(register, ['modbus', 'registers', index], catalogue),
      ...writtenProblems(map, index, catalogue),
    ]),
    ...sessionProblems(map),
    ...referenceProblems(map),
  ];
}

function registerProblems(
  register: RegisterDefinition,
  path: (string | number)[],
  catalogue: MetricCatalogue,
): Problem[] {
  const problems: Problem[] = [];
  const { metric, unit } = register;
  if (metric !== undefined && unit === undefined)
    problems.push({ path, message: `register '${register.name}' states no unit` });
  else if (metric !== undefined && unit !== undefined)
    problems.push(...metricProblems(path, metric, unit, catalogue));
  if (register.type === 'string' && register.length === undefined)
    problems.push({ path, message: 'a string register needs a length' });
  if ((register.type === 'bool') !== (register.table === 'coil' || register.table === 'discrete')) {
    problems.push({
      path: [...path, 'type'],
      message: 'coils and discrete inputs are bool, registers are not',
    });
  }
  return problems;
}

/** A command's value is in the unit of its register: a unit of config/metrics.yaml would be converted under its feet. */
function writtenProblems({ registers, commands }: ModbusMap, index: number, { units }: MetricCatalogue) {
  const { name, unit = '' } = registers[index] ?? {};
  if (units?.get(unit)?.to === undefined || !commands.some(({ register }) => register === name)) return [];
  const message = `register '${name ?? ''}' is written by a command: use a built-in unit and a scale`;
  return [{ path: ['modbus', 'registers', index, 'unit'], message }];
}

function sessionProblems({ registers, session }: ModbusMap): Problem[] {
  return Object.entries(session ?? {}).flatMap(([role, name]) => {
    const register = registers.find((candidate) => candidate.name === name);
    const path = ['modbus', 'session', role];
    if (register === undefined) return [{ path, message: `there is no register named '${name}'` }];
    if (register.group === undefined) return [];
    return [{ path, message: `register '${name}' tells the milking: it cannot be in a slower group` }];
  });
}

/** References inside a Modbus map, and types that do not go together. */
function referenceProblems({ registers, groups, commands, illegal }: ModbusMap): Problem[] {
  const problems: Problem[] = [];
  registers.forEach(({ group, bits, type, name, min, max }, index) => {
    const path = ['modbus', 'registers', index];
    if (registers.findIndex((other) => other.name === name) !== index)
      problems.push({ path: [...path, 'name'], message: `register '${name}' exists twice` });
    if (group !== undefined && groups[group] === undefined)
      problems.push({
        path: [...path, 'group'],
        message: `there is no group '${group}' under modbus.groups`,
      });
    problems.push(...rangeProblems({ min, max }, path));
    const width = type === 'uint16' ? 16 : type === 'uint32' ? 32 : 0;
    if (bits !== undefined && bits.from + bits.count > width)
      problems.push({ path: [...path, 'bits'], message: `bits need a uint16 or uint32 that is wide enough` });
  });
  illegal.forEach(({ from, to }, index) => {
    if (from > to)
      problems.push({ path: ['modbus', 'illegal', index, 'from'], message: `${from} is behind to, ${to}` });
  });
  commands.forEach((command, index) => {
    const path = ['modbus', 'commands', index];
    problems.push(...rangeProblems(command, path));
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
