// Holds a mapping against the real models of an Odoo: every complaint names its place in the file and what is near.
import * as z from 'zod';
import { nearMatch } from '../../../contract/near-match.ts';
import { OdooError } from '../errors.ts';
import type { Caller, RecordKind } from '../mapping/index.ts';
import { recordKeys, type FieldMapping, type OdooMapping, type ValueType } from './schema.ts';

const fieldsSchema = z.record(
  z.string(),
  z.object({
    type: z.string(),
    required: z.boolean().default(false),
    readonly: z.boolean().default(false),
    store: z.boolean().default(true),
    relation: z.string().optional(),
    related: z.string().optional(),
    selection: z.array(z.tuple([z.union([z.string(), z.number()]), z.string()])).optional(),
  }),
);
type OdooFields = z.output<typeof fieldsSchema>;
type OdooField = OdooFields[string];

/** Types of Odoo fields by what a record's value can become. */
const takes: Record<ValueType, readonly string[]> = {
  text: ['char', 'text', 'html', 'selection'],
  number: ['float', 'integer', 'monetary', 'char'],
  boolean: ['boolean'],
  moment: ['datetime', 'date', 'char'],
};

/** The types of the mapped fields: sending needs them to write values as Odoo reads them. */
export type FieldTypes = ReadonlyMap<string, string>;

/** Asks Odoo for the fields of the mapped models. Throws OdooError `misconfigured` with a line per problem. */
export async function checkMapping(
  client: Caller,
  mapping: OdooMapping,
  kind: RecordKind,
  signal?: AbortSignal,
): Promise<FieldTypes> {
  const wanted = mapping.kinds[kind];
  if (wanted === undefined) return new Map();
  const at = ['kinds', kind] as const;
  const problems: string[] = [];
  const complain = (path: readonly PropertyKey[], message: string) =>
    problems.push(mapping.complain([...at, ...path], message));
  const fields = await fieldsOf(client, wanted.model, signal);
  if (fields === undefined) {
    complain(
      ['model'],
      `Odoo has no model '${wanted.model}', or this user may not read it${await nearModel(client, wanted.model, signal)}`,
    );
    throw new OdooError('misconfigured', problems.join('\n'));
  }
  const types = new Map<string, string>();
  const keys = recordKeys(kind);
  for (const [name, source] of Object.entries(wanted.fields)) {
    const path = ['fields', name] as const;
    const field = fields[name];
    if (field === undefined) {
      complain(path, `${wanted.model} has no field '${name}'${near(name, Object.keys(fields))}`);
      continue;
    }
    types.set(name, field.type);
    if (!field.store && field.readonly)
      complain(path, `${wanted.model}.${name} is computed and cannot be written`);
    const problem = 'lookup' in source ? lookupProblem(field, source) : valueProblem(field, source, keys);
    if (problem !== undefined) complain(path, `${wanted.model}.${name}: ${problem}`);
    if ('lookup' in source)
      await checkLookup(client, source, (rest, message) => complain([...path, ...rest], message), signal);
  }
  if (wanted.key !== undefined && fields[wanted.key]?.type !== 'char')
    complain(
      ['key'],
      `${wanted.model} has no text field '${wanted.key}'${near(wanted.key, Object.keys(fields))}`,
    );
  const missing = await missingDefaults(
    client,
    wanted.model,
    fields,
    new Set(Object.keys(wanted.fields)),
    signal,
  );
  if (missing.length > 0)
    complain(['fields'], `${wanted.model} requires ${missing.join(', ')}, and has no default: add them here`);
  if (problems.length > 0) throw new OdooError('misconfigured', problems.join('\n'));
  return types;
}

async function fieldsOf(
  client: Caller,
  model: string,
  signal?: AbortSignal,
): Promise<OdooFields | undefined> {
  try {
    const attributes = ['type', 'required', 'readonly', 'store', 'relation', 'related', 'selection'];
    return fieldsSchema.parse(await client.call(model, 'fields_get', { attributes }, signal));
  } catch (error) {
    if (
      error instanceof OdooError &&
      (error.reason === 'misconfigured' || /doesn't exist|does not exist|KeyError/.test(error.message))
    )
      return undefined;
    throw error;
  }
}

const near = (word: string, known: readonly string[]) => {
  const match = nearMatch(word, known);
  return match === undefined ? '' : `; did you mean '${match}'?`;
};

/** Whoever may not read ir.model gets the complaint without a suggestion. */
async function nearModel(client: Caller, model: string, signal?: AbortSignal): Promise<string> {
  const answer = await client
    .call('ir.model', 'search_read', { domain: [], fields: ['model'] }, signal)
    .catch(() => []);
  const models = z.array(z.object({ model: z.string() })).safeParse(answer);
  return models.success
    ? near(
        model,
        models.data.map((row) => row.model),
      )
    : '';
}

function valueProblem(
  field: OdooField,
  source: Exclude<FieldMapping, { lookup: string }>,
  keys: ReadonlyMap<string, ValueType>,
): string | undefined {
  const constants = 'value' in source ? [source.value] : Object.values(source.map ?? {});
  if (field.type === 'selection') {
    const allowed = (field.selection ?? []).map(([value]) => String(value));
    const wrong = constants.find((value) => !allowed.includes(String(value)));
    if (wrong !== undefined)
      return `'${String(wrong)}' is not one of ${allowed.join(', ')}${near(String(wrong), allowed)}`;
    return 'value' in source || source.map !== undefined || keys.get(source.from) === 'text'
      ? undefined
      : `cannot take a ${keys.get(source.from) ?? 'value'} without map`;
  }
  if (field.type === 'many2one') {
    return 'value' in source && typeof source.value === 'number' && Number.isInteger(source.value)
      ? undefined
      : 'refers to another model: use lookup, or value with an id';
  }
  if ('value' in source) {
    const fits = {
      boolean: takes.boolean,
      number: takes.number,
      string: [...takes.text, 'date', 'datetime'],
    }[typeof source.value as 'boolean' | 'number' | 'string'];
    return fits.includes(field.type)
      ? undefined
      : `is ${field.type} and cannot take ${JSON.stringify(source.value)}`;
  }
  if (source.map !== undefined) return undefined;
  const type = keys.get(source.from) ?? 'text';
  return takes[type].includes(field.type)
    ? undefined
    : `is ${field.type} and cannot take the ${type} '${source.from}'`;
}

function lookupProblem(
  field: OdooField,
  source: Extract<FieldMapping, { lookup: string }>,
): string | undefined {
  if (field.type !== 'many2one') return `is ${field.type}: only a many2one field takes a lookup`;
  return field.relation === source.lookup
    ? undefined
    : `refers to ${field.relation ?? 'nothing'}, not to ${source.lookup}`;
}

async function checkLookup(
  client: Caller,
  source: Extract<FieldMapping, { lookup: string }>,
  complain: (path: readonly PropertyKey[], message: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const fields = await fieldsOf(client, source.lookup, signal);
  if (fields === undefined) {
    complain(
      ['lookup'],
      `Odoo has no model '${source.lookup}'${await nearModel(client, source.lookup, signal)}`,
    );
    return;
  }
  const names = Object.keys(fields);
  if (!(source.by in fields))
    complain(['by'], `${source.lookup} has no field '${source.by}'${near(source.by, names)}`);
  for (const [index, [name]] of source.domain.entries()) {
    const [head = ''] = name.split('.');
    if (!(head in fields))
      complain(['domain', index], `${source.lookup} has no field '${head}'${near(head, names)}`);
  }
}

/** Required fields that the mapping does not fill and Odoo has no default for. */
async function missingDefaults(
  client: Caller,
  model: string,
  fields: OdooFields,
  mapped: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<string[]> {
  const open = Object.entries(fields)
    .filter(([name, field]) => field.required && field.store && !field.readonly && !mapped.has(name))
    .map(([name]) => name);
  if (open.length === 0) return [];
  // Not every user may ask; then the first record says what is missing.
  const ask = (argument: string) => client.call(model, 'default_get', { [argument]: open }, signal);
  // The argument's name changed in Odoo 19.
  const defaults = await ask('fields').catch(() => ask('fields_list').catch(() => undefined));
  const given = z.record(z.string(), z.unknown()).safeParse(defaults);
  // What a product variant inherits from its product, or a user from its partner: Odoo makes that record itself.
  const inherited = new Set(Object.values(fields).map(({ related }) => related?.split('.')[0]));
  return given.success ? open.filter((name) => !(name in given.data) && !inherited.has(name)) : [];
}
