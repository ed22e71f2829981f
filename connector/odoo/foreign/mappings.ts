// Puts a mapping file in place of our addons' models, kind by kind.
import {
  mappings,
  payloadCheck,
  recordKinds,
  type RecordKind,
  type RecordMapping,
} from '../mapping/index.ts';
import type { OdooMapping } from './schema.ts';
import { createSender } from './send.ts';

/** How every kind gets into this Odoo. Without our addons, kinds that the file does not name stay in the database. */
export function mappedKinds(mapping: OdooMapping | undefined): Record<RecordKind, RecordMapping> {
  if (mapping === undefined) return mappings;
  const kinds: Record<RecordKind, RecordMapping> = { ...mappings };
  for (const kind of recordKinds) {
    const wanted = mapping.kinds[kind];
    if (wanted !== undefined) {
      kinds[kind] = {
        model: wanted.model,
        toOdoo: payloadCheck(kind),
        send: createSender(mapping, kind, wanted),
      };
    } else if (!mapping.addons) {
      kinds[kind] = {
        model: 'none',
        toOdoo: payloadCheck(kind),
        send: (_client, records) =>
          Promise.resolve(
            records.map((record) => ({
              source_id: String(record['source_id']),
              status: 'unchanged' as const,
            })),
          ),
      };
    }
  }
  return kinds;
}
