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
}

const pageSchema = z.array(
  z.looseObject({
    id: z.int(),
    source_id: z.string(),
    revision: z.int(),
    content_hash: z.union([z.string(), z.literal(false), z.null()]),
  }),
);

/** Records of a model that are ours and within `domain`, by source_id. `sum` is the field that is added up. */
export async function odooRecords(
  client: OdooClient,
  model: string,
  domain: readonly unknown[],
  sum: string | null = null,
): Promise<Map<string, OdooSideRecord>> {
  const records = new Map<string, OdooSideRecord>();
  for (let lastId = 0; ;) {
    const answer = await client.call(model, 'search_read', {
      domain: [['source', '=', recordSource], ...domain, ['id', '>', lastId]],
      fields: ['source_id', 'revision', 'content_hash', ...(sum === null ? [] : [sum])],
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
      const measure = sum === null ? null : values[sum];
      records.set(sourceId, {
        revision,
        hash: typeof hash === 'string' && hash !== '' ? hash : undefined,
        measure: typeof measure === 'number' ? measure : null,
      });
    }
    lastId = page.data.at(-1)?.id ?? lastId;
    if (page.data.length < pageSize) return records;
  }
}
