// config/odoo-mapping.yaml: which model of an Odoo without our addons takes a record kind, and how its fields are filled.
import * as z from 'zod';
import { AppError } from '../../../contract/errors.ts';
import { nearMatch } from '../../../contract/near-match.ts';
import { loadYaml } from '../../../contract/runtime/yaml.ts';
import { mappings, recordKinds, type RecordKind } from '../mapping/index.ts';

const name = z.string().regex(/^[a-z_][a-z0-9_]*$/i, 'a field name');
const model = z.string().regex(/^[a-z_][a-z0-9_.]*$/, 'a model name such as res.partner');
const constant = z.union([z.string(), z.number(), z.boolean()]);

const fieldSchema = z.union([
  z
    .strictObject({
      from: z.string().describe('Key of the record, or source_id'),
      scale: z.number().default(1).describe('Multiplies a number'),
      map: z.record(z.string(), constant).optional().describe('Words of the record → values in Odoo'),
    })
    .describe('A value of the record'),
  z.strictObject({ value: constant }).describe('The same value for every record'),
  z
    .strictObject({
      lookup: model.describe('Model to look in'),
      by: name.describe('Its field that has the value of the record'),
      from: z.string().describe('Key of the record'),
      domain: z
        .array(z.tuple([z.string(), z.string(), z.union([constant, z.array(constant)])]))
        .default([])
        .describe('Further conditions'),
      missing: z
        .enum(['empty', 'park'])
        .default('empty')
        .describe(
          'What happens when nothing is found: the field stays empty, or the record waits for a person',
        ),
    })
    .describe('A record of another model'),
]);
export type FieldMapping = z.output<typeof fieldSchema>;

const kindSchema = z.strictObject({
  model,
  key: name
    .optional()
    .describe('Text field of the model that keeps source_id; without it, Odoo’s external ids are used'),
  fields: z.record(name, fieldSchema).describe('Field of the model → where its value comes from'),
});
export type KindMapping = z.output<typeof kindSchema>;

const fileSchema = z.strictObject({
  addons: z
    .boolean()
    .default(false)
    .describe(
      'Our addons are in this Odoo too: kinds that are not named here go to them; else they stay here',
    ),
  external_id_module: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/)
    .default('smart_dairy_connector')
    .describe('Module part of external ids'),
  kinds: z.strictObject(
    Object.fromEntries(recordKinds.map((kind) => [kind, kindSchema.optional()])) as Record<
      RecordKind,
      z.ZodOptional<typeof kindSchema>
    >,
  ),
});

/** What a key of a record holds, as far as it decides which fields fit. */
export type ValueType = 'text' | 'number' | 'boolean' | 'moment';

/** A checked mapping file. `complain` names file:line:column of a place in it. */
export interface OdooMapping {
  addons: boolean;
  module: string;
  kinds: Partial<Record<RecordKind, KindMapping>>;
  complain: (path: readonly PropertyKey[], message: string) => string;
}

/** Loads a mapping and checks it against our records. Throws AppError `invalid` with a line per problem. */
export function loadOdooMapping(
  file: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): OdooMapping {
  const { value, complain } = loadYaml(file, fileSchema, environment);
  const problems: string[] = [];
  const kinds: Partial<Record<RecordKind, KindMapping>> = {};
  for (const [kind, mapping] of Object.entries(value.kinds) as [RecordKind, KindMapping | undefined][]) {
    if (mapping === undefined) continue;
    kinds[kind] = mapping;
    const known = recordKeys(kind);
    for (const [field, source] of Object.entries(mapping.fields)) {
      if (!('from' in source) || known.has(source.from)) continue;
      const near = nearMatch(source.from, [...known.keys()]);
      const hint =
        near === undefined ? `; known: ${[...known.keys()].join(', ')}` : `; did you mean '${near}'?`;
      problems.push(
        complain(['kinds', kind, 'fields', field, 'from'], `a ${kind} has no '${source.from}'${hint}`),
      );
    }
  }
  if (problems.length > 0) throw new AppError('invalid', problems.join('\n'));
  return { addons: value.addons, module: value.external_id_module, kinds, complain };
}

/** The keys that a record of a kind has, with what they hold. */
export function recordKeys(kind: RecordKind): ReadonlyMap<string, ValueType> {
  const keys = new Map<string, ValueType>([['source_id', 'text']]);
  for (const [key, schema] of Object.entries(mappings[kind].schema.shape as Record<string, z.ZodType>))
    keys.set(key, typeOf(schema));
  return keys;
}

function typeOf(schema: z.ZodType): ValueType {
  const inner = schema instanceof z.ZodNullable ? (schema.unwrap() as z.ZodType) : schema;
  if (inner instanceof z.ZodNumber) return 'number';
  if (inner instanceof z.ZodBoolean) return 'boolean';
  if (inner instanceof z.ZodISODateTime) return 'moment';
  return 'text';
}
