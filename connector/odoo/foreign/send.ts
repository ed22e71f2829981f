// Records into a model that is not ours: look-ups, values as Odoo reads them, and one record in Odoo whatever is repeated.
import * as z from 'zod';
import type { RecordKind } from '../../../contract/records.ts';
import type { RecordResult } from '../../outbox/decide.ts';
import { OdooError, firstLine } from '../errors.ts';
import type { Caller, OdooRecord } from '../mapping/index.ts';
import { checkMapping, type FieldTypes } from './check.ts';
import type { FieldMapping, KindMapping, OdooMapping } from './schema.ts';
import { externalId, toLoadCell, toWriteValue, type CellValue } from './values.ts';

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

interface Context {
  client: Caller;
  mapping: OdooMapping;
  kind: RecordKind;
  wanted: KindMapping;
  types: FieldTypes;
  signal: AbortSignal;
}

interface Row {
  sourceId: string;
  values: ReadonlyMap<string, CellValue>;
}
type Lookup = Extract<FieldMapping, { lookup: string }>;

const idOf = (record: OdooRecord) => String(record['source_id']);
const done = (sourceId: string, status: 'created' | 'updated', id: number): RecordResult => ({
  source_id: sourceId,
  status,
  id,
});
const refused = (sourceId: string, error: string): RecordResult => ({
  source_id: sourceId,
  status: 'error',
  error,
  error_type: 'validation',
});

const idsSchema = z.array(z.looseObject({ id: z.int() }));

/** One call a looked-up field and batch: value → id in Odoo. */
async function resolveLookups(
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
function toRow(
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

const loadedSchema = z.object({
  ids: z.union([z.array(z.int()), z.literal(false)]),
  messages: z.array(
    z.looseObject({
      type: z.string().optional(),
      message: z.string().default(''),
      rows: z.object({ from: z.int(), to: z.int() }).optional(),
    }),
  ),
});

/**
 * Odoo's own import, with external ids: record and id come into being in one transaction, so a repetition updates. It takes
 * all or nothing; refused rows are left out and the others sent again.
 */
async function load(context: Context, rows: readonly Row[]): Promise<RecordResult[]> {
  const { client, mapping, kind, wanted, types, signal } = context;
  const results: RecordResult[] = [];
  const names = Object.keys(wanted.fields);
  const columns = names.map((name) => (types.get(name) === 'many2one' ? `${name}/.id` : name));
  let open = rows;
  while (open.length > 0) {
    const answer = await client.call(
      wanted.model,
      'load',
      {
        fields: ['id', ...columns],
        data: open.map(({ sourceId, values }) => [
          `${mapping.module}.${externalId(kind, sourceId)}`,
          ...names.map((name) => toLoadCell(values.get(name) ?? null, types.get(name) ?? 'char')),
        ]),
        context: { tz: 'UTC', lang: 'en_US', tracking_disable: true },
      },
      signal,
    );
    const { ids, messages } = loadedSchema.parse(answer);
    if (ids !== false && ids.length === open.length) {
      results.push(...open.map(({ sourceId }, index) => done(sourceId, 'updated', ids[index] ?? 0)));
      return results;
    }
    // The import wraps a missing right like a wrong value; it is no fault of the record.
    const denied = messages.find(({ message }) => message.startsWith('You are not allowed to'));
    if (denied !== undefined)
      throw new OdooError('denied', `Odoo denied access: ${firstLine(denied.message)}`);
    const bad = new Map<number, string>();
    for (const { type, message, rows: at } of messages) {
      if (type === 'warning' || at === undefined) continue;
      for (let row = at.from; row <= at.to; row++) bad.set(row, bad.get(row) ?? message);
    }
    if (bad.size === 0)
      throw new OdooError(
        'rejected',
        `Odoo refused the import: ${messages[0]?.message ?? 'it gave no reason'}`,
      );
    for (const [index, reason] of bad) {
      const row = open[index];
      if (row !== undefined) results.push(refused(row.sourceId, reason));
    }
    open = open.filter((_row, index) => !bad.has(index));
  }
  return results;
}

/** The model keeps source_id itself: search, then create or write. */
async function writeByKey(
  { client, wanted, types, signal }: Context,
  rows: readonly Row[],
): Promise<RecordResult[]> {
  const key = wanted.key ?? '';
  const answer = await client.call(
    wanted.model,
    'search_read',
    {
      domain: [[key, 'in', rows.map(({ sourceId }) => sourceId)]],
      fields: [key],
      context: { active_test: false },
    },
    signal,
  );
  const known = new Map(idsSchema.parse(answer).map((row) => [String(row[key]), row.id]));
  const valuesOf = ({ sourceId, values }: Row) => ({
    ...Object.fromEntries(
      [...values].map(([name, value]) => [name, toWriteValue(value, types.get(name) ?? 'char')]),
    ),
    [key]: sourceId,
  });
  const results: RecordResult[] = [];
  const attempt = async (row: Row, work: () => Promise<RecordResult>) => {
    try {
      results.push(await work());
    } catch (error) {
      if (!(error instanceof OdooError) || error.reason !== 'rejected') throw error;
      results.push(refused(row.sourceId, error.message));
    }
  };
  const create = async (list: readonly Row[]) => {
    const ids = await client.call(wanted.model, 'create', { vals_list: list.map(valuesOf) }, signal);
    return z.array(z.int()).parse(ids);
  };
  const fresh = rows.filter(({ sourceId }) => !known.has(sourceId));
  if (fresh.length > 0) {
    try {
      const ids = await create(fresh);
      results.push(...fresh.map(({ sourceId }, index) => done(sourceId, 'created', ids[index] ?? 0)));
    } catch (error) {
      if (!(error instanceof OdooError) || error.reason !== 'rejected') throw error;
      // One of them is wrong; alone each says for itself.
      for (const row of fresh)
        await attempt(row, async () => done(row.sourceId, 'created', (await create([row]))[0] ?? 0));
    }
  }
  for (const row of rows) {
    const id = known.get(row.sourceId);
    if (id === undefined) continue;
    await attempt(row, async () => {
      await client.call(wanted.model, 'write', { ids: [id], vals: valuesOf(row) }, signal);
      return done(row.sourceId, 'updated', id);
    });
  }
  return results;
}
