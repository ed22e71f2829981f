// What `iot.connector.pull` answers: the records of one kind that changed after a cursor.
import * as z from 'zod';
import { OdooError } from '../odoo/errors.ts';

/** In the order in which they refer to each other. */
export const pullKinds = ['farm', 'pen', 'animal', 'device', 'assignment', 'threshold', 'tombstone'] as const;
export type PullKind = (typeof pullKinds)[number];
export const pullKindSchema = z.enum(pullKinds);

/** Odoo says false for "no value". */
const text = z
  .union([z.string(), z.literal(false), z.null()])
  .optional()
  .transform((value) => (typeof value === 'string' && value !== '' ? value : null));
const limit = z
  .union([z.number(), z.literal(false), z.null()])
  .optional()
  .transform((value) => (typeof value === 'number' ? value : null));
const base = { id: z.int(), active: z.boolean().default(true) };

const recordSchemas = {
  farm: z.object({ ...base, code: z.string(), name: z.string() }),
  pen: z.object({ ...base, farm: z.string(), name: z.string() }),
  animal: z.object({
    ...base,
    farm: z.string(),
    rfid_tag: text,
    ear_tag: text,
    name: text,
    pen: text,
    state: text,
  }),
  device: z.object({
    ...base,
    farm: z.string(),
    device_uid: z.string(),
    device_type: text,
    name: text,
    profile: text,
    stall: text,
    manufacturer: text,
    model: text,
    state: z.string(),
  }),
  assignment: z.object({
    ...base,
    farm: z.string(),
    device_uid: z.string(),
    /** Id of the animal in Odoo. */
    animal_id: z.int(),
    valid_from: z.string(),
    valid_to: text,
  }),
  threshold: z.object({
    ...base,
    farm: text,
    /** Null: every device of the type, or of the farm. */
    device_uid: text,
    device_type: text,
    metric: z.string(),
    low: limit,
    high: limit,
    unit: text,
    severity: z.enum(['low', 'medium', 'high', 'critical']),
  }),
  tombstone: z.object({ id: z.int(), kind: z.string(), res_id: z.int() }),
};

/** A record of a kind, checked. */
export type PulledRecord<K extends PullKind> = z.output<(typeof recordSchemas)[K]>;

const pageSchema = z.object({
  records: z.array(z.unknown()),
  cursor: z.string(),
  more: z.boolean(),
  held_back: z.boolean().default(false),
});

/** One page. `skipped` says why a record could not be taken; its neighbours are. */
export interface Page<K extends PullKind> {
  records: PulledRecord<K>[];
  skipped: string[];
  cursor: string;
  more: boolean;
  /** There is more that Odoo cannot show before a transaction there ends: ask again soon. */
  heldBack: boolean;
}

/** Checks an answer of `pull`. Throws OdooError `misconfigured` when it is no page at all. */
export function readPage<K extends PullKind>(kind: K, answer: unknown): Page<K> {
  const page = pageSchema.safeParse(answer);
  if (!page.success)
    throw new OdooError('misconfigured', 'iot.connector.pull did not answer a page: update smart_dairy_iot');
  const records: PulledRecord<K>[] = [];
  const skipped: string[] = [];
  for (const raw of page.data.records) {
    const record = recordSchemas[kind].safeParse(raw);
    if (record.success) records.push(record.data as PulledRecord<K>);
    else skipped.push(z.prettifyError(record.error));
  }
  const { cursor, more, held_back: heldBack } = page.data;
  return { records, skipped, cursor, more, heldBack };
}
