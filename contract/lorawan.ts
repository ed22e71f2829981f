// The `lorawan:` section of a device profile: which codec reads the payloads, what its fields mean, and the downlinks.
import * as z from 'zod';
import { unitSchema, type MetricCatalogue } from './metrics.ts';
import { pointerSchema } from './pointer.ts';
import { pointProblems, type Problem } from './profile/problem.ts';

/** Files of gateways/lorawan/codecs. Several models may share one. */
export const codecNames = [
  'abeeway-tracker',
  'abeeway-tracker-v1',
  'dragino-lht52',
  'dragino-lht65',
  'dragino-trackerd',
  'elsys-ers',
  'milesight-em300-th',
  'milesight-em500-pt100',
  'smart-dairy-collar',
] as const;
export type CodecName = (typeof codecNames)[number];

const fieldSchema = z.string().regex(/^[a-z][a-z0-9_]*$/);

/** What a value means, wherever it stands. */
const meaning = {
  metric: z.string(),
  /** Unit of the scaled value; converted to the catalogue's. */
  unit: unitSchema,
  scale: z.number().default(1),
  offset: z.number().default(0),
  /** Raw values that mean "no value". */
  sentinels: z.array(z.number()).default([]),
  /** What this model can measure, in the catalogue's unit, where narrower than the catalogue's range; values outside are marked. */
  min: z.number().optional(),
  max: z.number().optional(),
};
/** A field that our codec reads, as raw as the device sends it. */
const pointSchema = z.strictObject({ field: fieldSchema, ...meaning });
/** A value in the `object` that ChirpStack's own codec makes; nothing of it counts without its unit. */
const objectPointSchema = z.strictObject({ pointer: pointerSchema, ...meaning });

/** Places for a command's value in its bytes, and how many bytes they take. */
export const valueSlots = { u8: 1, u16be: 2, u16le: 2, u24be: 3, u24le: 3, u32be: 4, u32le: 4 } as const;
const slot = Object.keys(valueSlots).join('|');
export const slotPattern = new RegExp(`\\{(${slot})\\}`);

const commandSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  /** What it does, and the value's unit. */
  description: z.string(),
  f_port: z.int().min(1).max(223),
  /** The downlink in hexadecimal; one of {u8}, {u16be}, {u16le}, {u24be}, {u24le}, {u32be}, {u32le} stands for the value. */
  bytes: z
    .string()
    .regex(
      new RegExp(`^(?:[0-9a-fA-F]{2}|\\{(?:${slot})\\}| )+$`),
      "bytes in hexadecimal such as '01 {u24be}'",
    ),
  /** Range of the value, whole numbers; without it the command takes none. */
  min: z.int().min(0).optional(),
  max: z.int().min(0).optional(),
});

export const lorawanSchema = z.strictObject({
  /** Reads the bytes: a file of this name in gateways/lorawan/codecs. Without it ChirpStack's codec does, see `object`. */
  codec: z.enum(codecNames).optional(),
  /** Regular expression, upper or lower case: ChirpStack device profiles with such a name are this model. This profile's own name always is. */
  device_profile: z
    .string()
    .refine((pattern) => compileDeviceProfile(pattern) !== undefined, 'not a regular expression')
    .optional(),
  /** The field with the battery's charge; after its scale in percent. */
  battery: z
    .strictObject({
      field: fieldSchema,
      scale: z.number().default(1),
      sentinels: z.array(z.number()).default([]),
    })
    .optional(),
  points: z.array(pointSchema).default([]),
  /** What is taken of the `object` that ChirpStack's own codec makes, where ours does not read the bytes. */
  object: z.array(objectPointSchema).default([]),
  /** Downlinks by name. */
  commands: z.array(commandSchema).default([]),
});
export type LorawanMap = z.infer<typeof lorawanSchema>;

/** The pattern of `device_profile`; undefined when it is no regular expression. */
export function compileDeviceProfile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'i');
  } catch {
    return undefined;
  }
}

/** What is wrong with a LoRaWAN section beyond its shape. */
export function lorawanProblems(map: LorawanMap, catalogue: MetricCatalogue): Problem[] {
  const { codec, points, object, battery, commands } = map;
  const isRead = codec !== undefined && points.length > 0;
  const problems: Problem[] = [];
  if (!isRead && object.length === 0)
    problems.push({ path: ['lorawan'], message: 'needs codec and points, or object' });
  if (codec === undefined && (points.length > 0 || battery !== undefined))
    problems.push({ path: ['lorawan', 'codec'], message: 'points and battery name fields of a codec' });
  return [
    ...problems,
    ...points.flatMap((point, index) => pointProblems(['lorawan', 'points', index], point, catalogue)),
    ...object.flatMap((point, index) => pointProblems(['lorawan', 'object', index], point, catalogue)),
    ...commandProblems(commands),
  ];
}

function commandProblems(commands: LorawanMap['commands']): Problem[] {
  return commands.flatMap(({ name, bytes, min, max }, index) => {
    const path = ['lorawan', 'commands', index];
    const slots = bytes.match(new RegExp(slotPattern, 'g')) ?? [];
    const problems: Problem[] = [];
    if (commands.findIndex((other) => other.name === name) !== index)
      problems.push({ path: [...path, 'name'], message: `command '${name}' exists twice` });
    if (slots.length > 1)
      problems.push({ path: [...path, 'bytes'], message: 'only one place for the value' });
    const hasRange = min !== undefined && max !== undefined;
    if (hasRange !== slots.length > 0 || (min === undefined) !== (max === undefined))
      problems.push({ path, message: 'a command with a value needs min, max and a place for it in bytes' });
    const width = valueSlots[slotPattern.exec(bytes)?.[1] as keyof typeof valueSlots];
    if (hasRange && (min > max || max >= 2 ** (8 * width)))
      problems.push({ path: [...path, 'max'], message: `the range does not fit into ${width} bytes` });
    return problems;
  });
}
