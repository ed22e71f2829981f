// What is wrong with a value, in our words: whoever sends us data knows nothing of the library that checks it.
import type * as z from 'zod';

type Raw = z.core.$ZodRawIssue;

/** zod's hook for messages: `schema.safeParse(value, { error: inWords })`. A message that the schema states itself comes first. */
export function inWords(issue: Raw): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `expected ${nameOf(issue.expected)}${gotOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => quote(value)).join(', ')}`;
    case 'too_small':
      return sizeText(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return sizeText(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_format':
      return formats[issue.format] ?? 'has another form than expected';
    case 'unrecognized_keys':
      return `unknown: ${issue.keys.map(quote).join(', ')}`;
    case 'invalid_union':
      return alternatives(issue.errors);
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    default:
      return 'is not possible here';
  }
}

const names: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a time',
  null: 'null',
};

const nameOf = (type: string) => names[type] ?? type;

/** Not of numbers that are none: there the text that was sent is lost. */
function gotOf(input: unknown): string {
  if (typeof input === 'number' && !Number.isFinite(input)) return '';
  if (input === null) return ', got null';
  if (Array.isArray(input)) return ', got a list';
  // A whole number is expected: the type says nothing, the value does.
  return typeof input === 'number' ? `, got ${input}` : `, got ${nameOf(typeof input)}`;
}

const formats: Readonly<Record<string, string>> = {
  datetime: 'expected a time as ISO 8601 with its offset, such as 2026-11-28T06:30:00Z',
  date: 'expected a date such as 2026-11-28',
  url: 'expected an address such as https://example.com',
  email: 'expected an e-mail address',
  uuid: 'expected a UUID',
};

const counted: Readonly<Record<string, string>> = {
  string: ' characters',
  array: ' items',
  set: ' items',
  object: ' fields',
};

const sizeText = (origin: string, bound: string, size: number | bigint) =>
  `expected ${bound} ${size}${counted[origin] ?? ''}`;

/** What each of the possible shapes says first. */
function alternatives(errors: readonly (readonly z.core.$ZodIssue[])[]): string {
  const said = new Set(errors.flatMap(([first]) => first?.message ?? []));
  return said.size === 0 ? 'has none of the possible shapes' : [...said].join('; or ');
}

const quote = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value));
