// Records into a model that is not ours: look-ups, values as Odoo reads them, and one record in Odoo whatever is repeated.
import type { RecordResult } from '../../outbox/decide.ts';
import type { Caller, OdooRecord, RecordKind } from '../mapping/index.ts';
import { refused } from './batch.ts';
import { checkMapping, type FieldTypes } from './check.ts';
import { load } from './load.ts';
import { idOf, resolveLookups, toRow, type Row } from './rows.ts';
import type { KindMapping, OdooMapping } from './schema.ts';
import { writeByKey } from './write-by-key.ts';

/** Sends a batch; one result a record, in order. Throws OdooError when the call as a whole failed. */
export type SendBatch = (
  client: Caller,
  records: readonly OdooRecord[],
  signal: AbortSignal,
) => Promise<RecordResult[]>;

/** The sender of a mapped kind. The mapping is held against Odoo before the first record and after a misconfiguration. */
export function createSender(mapping: OdooMapping, kind: RecordKind, wanted: KindMapping): SendBatch {
  let types: FieldTypes | undefined;
  return async (client, records, signal) => {
    types ??= await checkMapping(client, mapping, kind, signal);
    if (records.length === 0) {
      // An empty batch only asks whether all is well.
      await client.call(wanted.model, 'search_count', { domain: [['id', '=', 0]] }, signal);
      return [];
    }
    const found = await resolveLookups(client, wanted, records, signal);
    const rows: Row[] = [];
    const results = new Map<string, RecordResult>();
    for (const record of records) {
      const row = toRow(wanted, record, found);
      if (typeof row === 'string') results.set(idOf(record), refused(idOf(record), row));
      else rows.push(row);
    }
    const send = wanted.key === undefined ? load : writeByKey;
    for (const result of await send({ client, mapping, kind, wanted, types, signal }, rows))
      results.set(result.source_id, result);
    return records.map(
      (record) => results.get(idOf(record)) ?? refused(idOf(record), 'Odoo said nothing of it'),
    );
  };
}
