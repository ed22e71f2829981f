// zod's safeParse for what comes over a network: its length checks throw for {"length":{"toString":1}} in a text's place.
import * as z from 'zod';
import { inWords } from './wording.ts';

const words = { error: inWords };

/** As `schema.safeParse`, but in our words, and never throws: what its checks choke on is no valid value either. */
export function safeParse<Output>(schema: z.ZodType<Output>, value: unknown): z.ZodSafeParseResult<Output> {
  try {
    return schema.safeParse(value, words);
  } catch {
    const message = 'holds a value that no check can read';
    const error = new z.ZodError([{ code: 'custom', path: [], message, input: value }]);
    return { success: false, error: error as z.ZodError<Output> };
  }
}

/** The first thing that is wrong, for a person: `points.0.v: expected a number`. `whole` names what has no path in it. */
export function firstIssue({ issues: [issue] }: Pick<z.ZodError, 'issues'>, whole = ''): string {
  const place = issue === undefined || issue.path.length === 0 ? whole : issue.path.join('.');
  return `${place === '' ? '' : `${place}: `}${issue?.message ?? 'wrong shape'}`;
}
