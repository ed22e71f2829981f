// Numbers in a YAML document that are meant as text: a farm 0012, a password 0815, a device EUI 6081e12345678901.
import { isScalar, type Document, type Scalar } from 'yaml';
import type * as z from 'zod';
import type { Finder, Path } from './nodes.ts';
import { alternatives, below, typesOf } from './schema.ts';

/**
 * The content with the written text wherever the schema wants text and YAML has read a number: no zero and no digit is lost.
 * Tells of numbers that readers read differently, or that a number cannot hold.
 */
export function withText(
  content: unknown,
  document: Document,
  finder: Finder,
  schema: z.core.$ZodType,
  complain: (path: Path, message: string) => void,
): unknown {
  const walk = (value: unknown, node: unknown, schemas: readonly z.core.$ZodType[], path: Path): unknown => {
    const known = schemas.flatMap(alternatives);
    if (typeof value === 'number' && isScalar(node)) {
      const types = known.flatMap(typesOf);
      if (types.length > 0 && types.every((type) => type === 'text')) return node.source ?? value;
      const problem = types.includes('number')
        ? numberProblem(node, value, types.includes('text'))
        : undefined;
      if (problem !== undefined) complain(path, problem);
      return value;
    }
    const child = (part: unknown, key: string | number) =>
      walk(
        part,
        finder.childOf(node, key),
        known.flatMap((option) => below(option, key)),
        [...path, key],
      );
    if (Array.isArray(value)) return value.map(child);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, child(part, key)]));
  };
  return walk(content, document.contents, [schema], []);
}

function numberProblem({ source = '' }: Scalar, value: number, mayBeText: boolean): string | undefined {
  const quotes = mayBeText ? ', or in quotes if it is text' : '';
  if (/^[-+]?0\d/.test(source))
    return `${source} is ${value} for some and an octal number for others; write it without the leading zero${quotes}`;
  if (/^[-+]?\w+$/.test(source) && Number.isInteger(value) && !Number.isSafeInteger(value))
    return `${source} has more digits than a number can hold${mayBeText ? '; write it in quotes if it is text' : ''}`;
  return undefined;
}
