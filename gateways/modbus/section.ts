// The `modbus:` section of gateway.yaml.
import * as z from 'zod';
import { nameSchema } from '../shared/config.ts';

const deviceSchema = z.strictObject({
  uid: nameSchema.describe('Device uid, as in the topic'),
  unit: z.int().min(0).max(255).default(1).describe('Modbus unit id on its bus'),
  profile: z.string().describe('Profile with its register map, from the profiles folder'),
  stall: z.string().max(32).optional().describe('Milking point'),
  calibration: z
    .record(
      z.string(),
      z.strictObject({
        scale: z.number().default(1).describe('Factor'),
        offset: z.number().default(0).describe('Added after the factor'),
      }),
    )
    .default({})
    .describe(
      'Correction of this very device, by metric: value × scale + offset, in the unit of the catalogue',
    ),
});

const serialSchema = z.strictObject({
  path: z.string().min(1).describe('Such as /dev/ttyUSB0'),
  baud: z.int().min(300).max(4_000_000).default(9600).describe('Bits a second'),
  data_bits: z
    .union([z.literal(7), z.literal(8)])
    .default(8)
    .describe('7 or 8'),
  parity: z.enum(['none', 'even', 'odd']).default('even').describe('As all units of the line have it'),
  stop_bits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('1 or 2'),
});

const busSchema = z.strictObject({
  name: nameSchema.describe('For logs and metrics'),
  transport: z
    .enum(['tcp', 'rtu_tcp', 'rtu'])
    .optional()
    .describe(
      'rtu_tcp: RTU frames over a TCP connection, as simple serial converters do. By default tcp, or rtu where serial is given',
    ),
  host: z.string().min(1).optional().describe('Server or serial converter'),
  port: z.coerce.number().int().min(1).max(65_535).default(502).describe('Its port'),
  serial: serialSchema.optional().describe('A serial line of this machine, instead of host and port'),
  timeout_ms: z.int().min(10).default(1000).describe('How long an answer may take'),
  retry_max_ms: z
    .int()
    .min(10)
    .default(10_000)
    .describe('Longest wait between two tries of a bus or device that does not answer'),
  devices: z.array(deviceSchema).min(1).describe('Units on this bus'),
});

export const sectionSchema = z
  .strictObject({
    buses: z.array(busSchema).min(1).describe('One a wire or server: each has its own queue'),
  })
  .describe('Modbus devices that are polled');
export type Section = z.infer<typeof sectionSchema>;
