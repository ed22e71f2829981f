// Records as rows of a model that is not ours: looked-up ids and values, or why a record cannot be sent.
import * as z from 'zod';
import type { Caller, OdooRecord } from '../mapping/index.ts';
import type { FieldMapping, KindMapping } from './schema.ts';
import type { CellValue } from './values.ts';

/** A record's values by field of the model. */
export interface Row {
  sourceId: string;
  values: ReadonlyMap<string, CellValue>;
}
type Lookup = Extract<FieldMapping, { lookup: string }>;

export const idOf = (record: OdooRecord) => String(record['source_id']);
export const idsSchema = z.array(z.looseObject({ id: z.int() }));

/** One call a looked-up field and batch: value → id in Odoo. */
export async function resolveLookups(
  client: Caller,
  { fields }: KindMapping,
  records: readonly OdooRecord[],
  signal: AbortSignal,
): Promise<Map<string, Map<string, number>>> {
  const found = new Map<string, Map<string, number>>();
  for (const [field, source] of Object.entries(fields)) {
    if (!('lookup' in source)) continue;
    const values = [
      ...new Set(records.map((record) => record[source.from]).filter((value) => value != null)),
    ];
    const byValue = new Map<string, number>();
    found.set(field, byValue);
    if (values.length === 0) continue;
    const answer = await client.call(
      source.lookup,
      'search_read',
      { domain: [[source.by, 'in', values], ...source.domain], fields: [source.by], order: 'id' },
      signal,
    );
    // The first one wins where several have the value.
    for (const row of idsSchema.parse(answer).toReversed()) byValue.set(String(row[source.by]), row.id);
  }
  return found;
}

/** The values of a record, or why it cannot be sent. */
export function toRow(
  { fields }: KindMapping,
  record: OdooRecord,
  found: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Row | string {
  const values = new Map<string, CellValue>();
  for (const [field, source] of Object.entries(fields)) {
    if ('value' in source) values.set(field, source.value);
    else if ('lookup' in source) {
      const id = lookUp(source, record, found.get(field));
      if (id === undefined && source.missing === 'park')
        return `${field}: there is no ${source.lookup} whose ${source.by} is '${String(record[source.from])}'`;
      values.set(field, id ?? null);
    } else {
      const value = record[source.from] ?? null;
      if (source.map === undefined)
        values.set(field, typeof value === 'number' ? value * source.scale : value);
      else if (value === null) values.set(field, null);
      else {
        const mapped = source.map[String(value)];
        if (mapped === undefined) return `${field}: the map has nothing for '${String(value)}'`;
        values.set(field, mapped);
      }
    }
  }
  return { sourceId: idOf(record), values };
}

function lookUp(
  source: Lookup,
  record: OdooRecord,
  found: ReadonlyMap<string, number> | undefined,
): number | undefined {
  const value = record[source.from];
  return value == null ? undefined : found?.get(String(value));
}
