// Loads a YAML file through a strict zod schema; every complaint names file:line:column, the path and a near match.
import { readFileSync } from 'node:fs';
import {
  LineCounter,
  isMap,
  isNode,
  isPair,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';
import type * as z from 'zod';
import { AppError } from '../errors.ts';
import { nearMatch } from '../near-match.ts';

type Path = readonly PropertyKey[];

/** A checked file: its value, and a way to complain about a place in it later (cross-file checks). */
export interface LoadedYaml<T> {
  value: T;
  /** `file:line:column: path: message` for a path in this file. */
  complain: (path: Path, message: string) => string;
}

/**
 * Reads and checks a YAML file. `${NAME}` in a string is replaced from `environment`, `${NAME:-fallback}` with a fallback.
 * Throws AppError `invalid` with one line per problem.
 */
export function loadYaml<T>(
  file: string,
  schema: z.ZodType<T>,
  environment: Readonly<Record<string, string | undefined>> = {},
): LoadedYaml<T> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('invalid', `${file}: cannot be read. Does it exist, and may this user read it?`, {
      cause,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const fail = (problems: string[]): never => {
    throw new AppError('invalid', problems.join('\n'));
  };
  if (document.errors.length > 0) {
    fail(
      document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0] ?? 'not YAML'}`),
    );
  }
  const complain = (path: Path, message: string) =>
    `${at(offsetOf(document, path))}: ${path.length === 0 ? '' : `${formatPath(path)}: `}${message}`;

  const missing = expandEnvironment(document, environment);
  if (missing.length > 0) {
    fail(missing.map(({ offset, name }) => `${at(offset)}: environment variable ${name} is not set`));
  }
  const unresolved: string[] = [];
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) === undefined)
        unresolved.push(`${at(node.range?.[0] ?? 0)}: there is no anchor &${node.source} before this alias`);
    },
  });
  if (unresolved.length > 0) fail(unresolved);
  const content: unknown = document.toJS() ?? {};
  const result = schema.safeParse(content);
  if (!result.success)
    fail(result.error.issues.flatMap((issue) => issueLines(issue, { content, schema, complain })));
  return { value: result.data as T, complain };
}

/** Replaces `${NAME}` inside scalars in place; returns what is not set. */
function expandEnvironment(document: Document, environment: Readonly<Record<string, string | undefined>>) {
  const missing: { offset: number; name: string }[] = [];
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return;
      node.value = node.value.replace(
        /\$\{(\w+)(?::-([^}]*))?\}/g,
        (_all, name: string, fallback?: string) => {
          const value = environment[name];
          if (value !== undefined && value !== '') return value;
          if (fallback === undefined) missing.push({ offset: node.range?.[0] ?? 0, name });
          return fallback ?? '';
        },
      );
    },
  });
  return missing;
}

interface Context {
  content: unknown;
  schema: z.core.$ZodType;
  complain: LoadedYaml<unknown>['complain'];
}

function issueLines(issue: z.core.$ZodIssue, context: Context): string[] {
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
      return [complain(issue.path, `${issue.expected} expected, found ${describe(found)}`)];
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

/** The keys that a schema takes at a path; none where they are free or the path leads through something unusual. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const { def } = schema._zod as { def: SchemaDef };
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  if (def.type === 'union') return (def.options ?? []).flatMap((option) => keysAt(option, path));
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(head)] ?? def.valueType ?? def.element;
  return next === undefined ? [] : keysAt(next, rest);
}

/** The parts of zod's schema definitions that lead from a path to its keys. */
interface SchemaDef {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  innerType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  valueType?: z.core.$ZodType;
  element?: z.core.$ZodType;
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
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'a section' : JSON.stringify(value);
}

/** Position of the key at `path`, or of the nearest parent that exists. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true) as Node | undefined;
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return document.contents?.range?.[0] ?? 0;
}

const formatPath = (path: Path) =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
