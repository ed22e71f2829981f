// The `rfid:` section of gateway.yaml.
import * as z from 'zod';
import { bitOrders } from '../../contract/animal-tag.ts';
import { nameSchema } from '../shared/config.ts';
import type { Site } from '../shared/protocol.ts';

const stallSchema = z.string().min(1).max(32);
const readerSchema = z.strictObject({
  uid: nameSchema.describe('Device uid, as in the topic'),
  host: z.string().min(1).optional().describe('A reader or serial server on the network …'),
  port: z.coerce.number().int().min(1).max(65_535).optional().describe('Its port'),
  path: z.string().min(1).optional().describe('… or a serial line of this machine, such as /dev/ttyUSB0'),
  baud: z.int().min(300).max(921_600).default(9600).describe('Bits a second of the serial line'),
  stall: stallSchema.optional().describe('The stall whose animals it reads …'),
  antenna: z
    .string()
    .optional()
    .describe(
      '… or several antennas: a pattern whose first group is the antenna, at the beginning of each line',
    ),
  stalls: z.record(z.string(), stallSchema).default({}).describe('Stall by antenna'),
  allow_test: z.boolean().default(false).describe('Takes test tags too: country code 999'),
  bit_order: z
    .enum(bitOrders)
    .optional()
    .describe(
      'How it writes tags in hexadecimal: animal flag first (msb) or last (lsb). Without it what reads either way is refused',
    ),
  settle_ms: z
    .int()
    .min(0)
    .max(10_000)
    .default(300)
    .describe('Reads of so long decide together which animal stands there'),
  quiet_ms: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('An animal that was not read for so long has gone'),
  retry_max_ms: z.int().min(100).default(10_000).describe('Longest wait between two tries of a connection'),
});
export const sectionSchema = z
  .strictObject({ readers: z.array(readerSchema).min(1).describe('One a connection') })
  .describe('RFID readers for ear tags');
export type Section = z.infer<typeof sectionSchema>;

export interface Reader extends Omit<Section['readers'][number], 'antenna'> {
  antenna: RegExp | undefined;
}
export interface Settings {
  readers: readonly Reader[];
}

/** Claims uids and checks each reader's line. */
export function resolveSection(section: Section, site: Site): Settings {
  return {
    readers: section.readers.map((reader, index) => {
      const path = ['readers', index];
      site.claim(reader.uid, path);
      const isNetwork = reader.host !== undefined && reader.port !== undefined;
      if (isNetwork === (reader.path !== undefined))
        site.complain(path, 'a reader needs host and port, or path (a serial line)');
      if (reader.antenna === undefined && Object.keys(reader.stalls).length > 0)
        site.complain([...path, 'stalls'], 'stalls by antenna need an antenna pattern');
      return {
        ...reader,
        antenna: compile(reader.antenna, (message) => site.complain([...path, 'antenna'], message)),
      };
    }),
  };
}

function compile(pattern: string | undefined, complain: (message: string) => void): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(`^(?:${pattern})`);
  } catch {
    complain(`'${pattern}' is no regular expression`);
    return undefined;
  }
}
