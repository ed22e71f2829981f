// What `iot.connector.pull` answers: the records of one kind that changed after a cursor.
import * as z from 'zod';
import { pulledKinds, type PulledRecord, type PullKind } from '../db/pulled/index.ts';
import { OdooError } from '../odoo/errors.ts';

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
    const record = pulledKinds[kind].schema.safeParse(raw);
    if (record.success) records.push(record.data as PulledRecord<K>);
    else skipped.push(z.prettifyError(record.error));
  }
  const { cursor, more, held_back: heldBack } = page.data;
  return { records, skipped, cursor, more, heldBack };
}
