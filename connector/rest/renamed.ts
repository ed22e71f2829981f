// Names of one version ago. A route lists what it renamed: former names still count in what comes in, and stand beside the new ones
// in answers and in the OpenAPI document, there as deprecated. Dropping a name is deleting its line.
import { wrongField } from './problem.ts';

/** New name → former name, of keys in query or body, and of keys anywhere in the answer. */
export interface Renamed {
  input?: Readonly<Record<string, string>>;
  output?: Readonly<Record<string, string>>;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Query or body with the new names. Throws problem 400 where both are said. */
export function withNewNames(value: unknown, names: Renamed['input']): unknown {
  if (names === undefined || !isObject(value)) return value;
  const renamed: Json = { ...value };
  for (const [name, former] of Object.entries(names)) {
    if (!Object.hasOwn(value, former)) continue;
    if (Object.hasOwn(value, name)) throw wrongField(name, `say either this or ${former}, its former name`);
    renamed[name] = value[former];
    Reflect.deleteProperty(renamed, former);
  }
  return renamed;
}

/** An answer with the former names beside the new ones. */
export function withFormerNames(value: unknown, names: Renamed['output']): unknown {
  if (names === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => withFormerNames(item, names));
  if (!isObject(value) || value instanceof Date) return value;
  const both: Json = {};
  for (const [name, content] of Object.entries(value)) {
    both[name] = withFormerNames(content, names);
    const former = names[name];
    if (former !== undefined) both[former] = both[name];
  }
  return both;
}

/** A JSON Schema with the former names beside the new ones, wherever it has properties of those names. Of input either is enough. */
export function describeFormerNames(
  schema: Json,
  names: Renamed['output'],
  io: 'input' | 'output' = 'output',
): Json {
  if (names === undefined) return schema;
  const described = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, deeper(value, names, io)]),
  );
  const { properties, required } = described;
  if (!isObject(properties)) return described;
  for (const [name, former] of Object.entries(names)) {
    const property = properties[name];
    if (!isObject(property) || Object.hasOwn(properties, former)) continue;
    properties[former] = { ...property, deprecated: true, description: `Former name of ${name}` };
    if (io === 'output' && Array.isArray(required) && required.includes(name)) required.push(former);
  }
  return described;
}

function deeper(value: unknown, names: Readonly<Record<string, string>>, io: 'input' | 'output'): unknown {
  if (Array.isArray(value)) return value.map((item) => deeper(item, names, io));
  return isObject(value) ? describeFormerNames(value, names, io) : value;
}
