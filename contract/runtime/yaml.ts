// Loads a YAML file through a strict zod schema; every complaint names file:line:column, the path and a near match.
import { readFileSync } from 'node:fs';
import { parseDocument, type Document } from 'yaml';
import type * as z from 'zod';
import { AppError, messageOf } from '../errors.ts';
import { expandEnvironment, type Environment } from './yaml/environment.ts';
import { issueLines } from './yaml/issues.ts';
import { createFinder, formatPath, type Path } from './yaml/nodes.ts';
import { documentProblems, parserProblems } from './yaml/rules.ts';
import { withText } from './yaml/scalars.ts';
import { characterProblems, decodeText, placeOf, type Problem } from './yaml/text.ts';

/** A checked file: its value, and a way to complain about a place in it later (cross-file checks). */
export interface LoadedYaml<T> {
  value: T;
  /** `file:line:column: path: message` for a path in this file. */
  complain: (path: Path, message: string) => string;
}

/**
 * Reads and checks a YAML 1.2 file: UTF-8, one document, known tags. Where the schema wants text, what is written counts, `0012` too.
 * `${NAME}` in a text is replaced from `environment`, `${NAME:-fallback}` with a fallback, `$${` stands for `${`.
 * Throws AppError `invalid` with one line per problem.
 */
export function loadYaml<T>(
  file: string,
  schema: z.ZodType<T>,
  environment: Environment = {},
): LoadedYaml<T> {
  const text = readText(file);
  const failOn = (problems: readonly Problem[]) => {
    if (problems.length > 0)
      fail(problems.map(({ offset, message }) => `${file}:${placeOf(text, offset)}: ${message}`));
  };
  failOn(characterProblems(text));
  // Repeated keys are looked for later: the parser says neither which nor where the other one is.
  const document = parseDocument(text, { prettyErrors: false, merge: true, uniqueKeys: false });
  failOn(parserProblems(document, text));
  const finder = createFinder(document);
  failOn(documentProblems(document, finder, text));
  failOn(expandEnvironment(document, environment));
  const complain = (path: Path, message: string) =>
    `${file}:${placeOf(text, finder.offsetOf(path))}: ${path.length === 0 ? '' : `${formatPath(path)}: `}${message}`;

  const problems: string[] = [];
  const content = withText(contentOf(document, file), document, finder, schema, (path, message) =>
    problems.push(complain(path, message)),
  );
  const result = schema.safeParse(content);
  if (!result.success)
    problems.push(
      ...result.error.issues.flatMap((issue) => issueLines(issue, { content, schema, complain })),
    );
  if (problems.length > 0) fail(problems);
  return { value: result.data as T, complain };
}

function fail(problems: readonly string[]): never {
  throw new AppError('invalid', problems.join('\n'));
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new AppError('invalid', `${file}: cannot be read. Does it exist, and may this user read it?`, {
      cause,
    });
  }
  const text = decodeText(bytes);
  return typeof text === 'string' ? text : fail([`${file}:${text.line}:${text.column}: ${text.message}`]);
}

/** Aliases beyond this are no configuration but an attack on memory; a hall of 300 equal meters has 300. */
const maxAliasCount = 10_000;

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount }) ?? {};
  } catch (error) {
    return fail([`${file}:1:1: ${messageOf(error)}`]);
  }
}
