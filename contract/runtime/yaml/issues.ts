// What zod has found, as lines that say where, what was expected and what was probably meant.
import type * as z from 'zod';
import { nearMatch } from '../../near-match.ts';
import type { Path } from './nodes.ts';
import { keysAt } from './schema.ts';

interface Context {
  content: unknown;
  schema: z.core.$ZodType;
  complain: (path: Path, message: string) => string;
}

/** The lines of one issue. */
export function issueLines(issue: z.core.$ZodIssue, context: Context): string[] {
  const { content, schema, complain } = context;
  const found = valueAt(content, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        complain([...issue.path, key], `unknown key${suggestion(key, keysAt(schema, issue.path), found)}`),
      );
    case 'invalid_union': {
      // The branch that got furthest is what the writer most likely meant.
      const [branch] = issue.errors.toSorted((a, b) => progress(b) - progress(a));
      if (branch === undefined) return [complain(issue.path, issue.message)];
      return branch.flatMap((inner) =>
        issueLines({ ...inner, path: [...issue.path, ...inner.path] }, context),
      );
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const near = typeof found === 'string' ? nearMatch(found, allowed) : undefined;
      const hint = near === undefined ? '' : `; did you mean '${near}'?`;
      return [complain(issue.path, `must be one of ${allowed.join(', ')}${hint}`)];
    }
    case 'invalid_type':
      if (found === undefined) return [complain(issue.path, `is missing (${issue.expected} expected)`)];
      return [
        complain(
          issue.path,
          `${issue.expected} expected, found ${describe(found)}${typeHint(issue.expected, found)}`,
        ),
      ];
    default:
      return [complain(issue.path, issue.message)];
  }
}

/** What to write instead of a misspelt key: the nearest name that the schema takes there and the file does not have yet. */
function suggestion(key: string, known: readonly string[], present: unknown): string {
  const free = known.filter((name) => typeof present !== 'object' || present === null || !(name in present));
  const near = nearMatch(key, free);
  if (near !== undefined) return `; did you mean '${near}'?`;
  return known.length > 0 ? `; known: ${known.join(', ')}` : '';
}

/** Words that were switches in YAML 1.1 and are texts in 1.2; and the other way round. */
function typeHint(expected: string, found: unknown): string {
  if (expected === 'boolean' && typeof found === 'string') {
    if (/^(yes|on|y)$/i.test(found)) return '; write true';
    if (/^(no|off|n)$/i.test(found)) return '; write false';
  }
  return expected === 'string' && typeof found === 'boolean' ? '; put it in quotes if it is text' : '';
}

/** How far checking got before it failed: into the value, or past the type of the value itself. */
const progress = (issues: readonly z.core.$ZodIssue[]) =>
  Math.max(
    0,
    ...issues.map(({ code, path }) => (path.length > 0 || code === 'invalid_type' ? path.length : 0.5)),
  );

function valueAt(content: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    content,
  );
}

/** A value in a message; a whole section would bury it, and may hold secrets. */
function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a section' : JSON.stringify(value);
}
