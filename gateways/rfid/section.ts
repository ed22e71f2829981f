// The `rfid:` section of gateway.yaml.
import * as z from 'zod';
import { nameSchema } from '../shared/config.ts';
import type { Site } from '../shared/protocol.ts';

const stallSchema = z.string().min(1).max(32);
const readerSchema = z.strictObject({
  uid: nameSchema,
  /** A reader or serial server on the network … */
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().min(1).max(65_535).optional(),
  /** … or a serial line of this machine. */
  path: z.string().min(1).optional(),
  baud: z.int().min(300).max(921_600).default(9600),
  /** The stall whose animals it reads … */
  stall: stallSchema.optional(),
  /** … or several antennas: a pattern whose first group is the antenna, at the beginning of each line, and their stalls. */
  antenna: z.string().optional(),
  stalls: z.record(z.string(), stallSchema).default({}),
  allow_test: z.boolean().default(false),
  /** Reads of so long decide together which animal stands there. */
  settle_ms: z.int().min(0).max(10_000).default(300),
  /** An animal that was not read for so long has gone. */
  quiet_ms: z.int().min(0).max(3_600_000).default(30_000),
  retry_max_ms: z.int().min(100).default(10_000),
});
export const sectionSchema = z.strictObject({ readers: z.array(readerSchema).min(1) });
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
