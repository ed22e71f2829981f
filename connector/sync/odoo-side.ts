// Odoo's side of the comparison: revision, content and measure of its records.
import * as z from 'zod';
import { recordSource } from '../../contract/records.ts';
import { OdooError } from '../odoo/errors.ts';
import type { OdooClient } from '../odoo/transport.ts';
import type { OdooRevision } from './compare.ts';

const pageSize = 5_000;

/** A record of Odoo, with what is added up. */
export interface OdooSideRecord extends OdooRevision {
  measure: number | null;
  /** It is none any more, and does not count. */
  isVoid: boolean;
}

/** Fields of the model to read besides: the one that is added up, the one that says that a record is none. */
interface Counted {
  sum: string | null;
  void: string | null;
}

const pageSchema = z.array(
  z.looseObject({
    id: z.int(),
    source_id: z.string(),
    revision: z.int(),
    content_hash: z.union([z.string(), z.literal(false), z.null()]),
  }),
);

/** Records of a model that are ours and within `domain`, by source_id, archived ones too. */
export async function odooRecords(
  client: OdooClient,
  model: string,
  domain: readonly unknown[],
  counted: Counted = { sum: null, void: null },
): Promise<Map<string, OdooSideRecord>> {
  const records = new Map<string, OdooSideRecord>();
  const more = [counted.sum, counted.void].filter((field) => field !== null);
  for (let lastId = 0; ;) {
    const answer = await client.call(model, 'search_read', {
      domain: [['source', '=', recordSource], ...domain, ['id', '>', lastId]],
      fields: ['source_id', 'revision', 'content_hash', ...more],
      order: 'id',
      limit: pageSize,
      context: { active_test: false },
    });
    const page = pageSchema.safeParse(answer);
    if (!page.success)
      throw new OdooError(
        'misconfigured',
        `${model} tells no content_hash: update the addon smart_dairy_iot`,
      );
    for (const { source_id: sourceId, revision, content_hash: hash, ...values } of page.data) {
      const measure = counted.sum === null ? null : values[counted.sum];
      records.set(sourceId, {
        revision,
        hash: typeof hash === 'string' && hash !== '' ? hash : undefined,
        measure: typeof measure === 'number' ? measure : null,
        isVoid: counted.void !== null && values[counted.void] === true,
      });
    }
    lastId = page.data.at(-1)?.id ?? lastId;
    if (page.data.length < pageSize) return records;
  }
}
