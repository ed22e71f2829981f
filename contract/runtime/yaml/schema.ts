// Looks into zod's schemas: which keys and which types stand at a path.
import type * as z from 'zod';

/** The parts of zod's schema definitions that lead from a path to its keys. */
interface SchemaDef {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  innerType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  in?: z.core.$ZodType;
  out?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  element?: z.core.$ZodType;
  items?: z.core.$ZodType[];
  values?: unknown[];
}

const definition = (schema: z.core.$ZodType) => schema._zod.def as SchemaDef;

/** The schemas that a value may fit, without wrappers such as optional and default. */
export function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { innerType, options, in: input, out } = definition(schema);
  if (innerType !== undefined) return alternatives(innerType);
  if (options !== undefined) return options.flatMap(alternatives);
  if (input === undefined) return [schema];
  // z.preprocess puts its function in front.
  return alternatives(definition(input).type === 'transform' && out !== undefined ? out : input);
}

/** The schemas of what stands below one of the alternatives. */
export function below(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  const { shape, valueType, element, items } = definition(schema);
  const next = shape?.[String(key)] ?? valueType ?? items?.[Number(key)] ?? element;
  return next === undefined ? [] : [next];
}

/** What one of the alternatives takes, as far as it tells numbers from text. */
export function typesOf(schema: z.core.$ZodType): ('text' | 'number' | 'other')[] {
  const { type, values } = definition(schema);
  if (type === 'literal')
    return (values ?? []).map((value) =>
      typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'other',
    );
  if (type === 'string' || type === 'enum' || type === 'template_literal') return ['text'];
  if (type === 'number' || type === 'int') return ['number'];
  // Sections, lists and switches take neither.
  return ['object', 'record', 'array', 'tuple', 'boolean', 'null'].includes(type) ? [] : ['other'];
}

/** The keys that a schema takes at a path; none where they are free or the path leads through something unusual. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const [head, ...rest] = path;
  return alternatives(schema).flatMap((option) =>
    head === undefined
      ? Object.keys(definition(option).shape ?? {})
      : below(option, head).flatMap((next) => keysAt(next, rest)),
  );
}
