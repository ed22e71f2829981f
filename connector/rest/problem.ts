// Errors as RFC 9457 problem details: what is wrong, where, and what to do next.
import type { Response } from 'express';
import * as z from 'zod';
import { AppError, toAppError, UnprocessableError, type ErrorKind } from '../../contract/errors.ts';
import { unreadRequest } from './unread-request.ts';

/** One wrong thing. `path`: a parameter, a header, or a place in the body, dotted: `readings.3.metric_name`. */
const fieldErrorSchema = z.strictObject({ path: z.string(), message: z.string() });
type FieldError = z.infer<typeof fieldErrorSchema>;

/** The body of every error. */
export const problemSchema = z.strictObject({
  type: z.string().describe('Where this kind of problem is explained'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z
    .array(fieldErrorSchema)
    .describe(
      'Where the request is wrong, at most 20; empty when it is not the request that has to be mended',
    ),
});
export type Problem = z.infer<typeof problemSchema>;

/** Titles by status; the page at /docs explains them. */
export const problemTitles: Readonly<Record<number, string>> = {
  400: 'The request is wrong',
  401: 'The token is missing or wrong',
  403: 'The token does not reach that far',
  404: 'There is no such thing',
  405: 'The address is right, the method is not',
  408: 'The request did not come in time',
  409: 'Not possible as things stand',
  413: 'The body is too large',
  415: 'The body cannot be read',
  422: 'The data cannot be taken',
  429: 'Too many requests',
  431: 'The headers are too large',
  500: 'The connector made a mistake',
  503: 'Not available now, try again',
};

/** An error with a status of its own. */
export class HttpError extends AppError {
  readonly status: number;
  readonly errors: readonly FieldError[];

  constructor(status: number, detail: string, errors: readonly FieldError[] = []) {
    super(status >= 500 ? 'transient' : 'invalid', detail);
    this.name = 'HttpError';
    this.status = status;
    this.errors = errors;
  }
}

/** The error of one field: `path` of the request is at fault. */
export const wrongField = (path: string, message: string, status = 400): HttpError =>
  new HttpError(status, `${path}: ${message}`, [{ path, message }]);

/** The same where `message` says all by itself. */
export const faultAt = (path: string, message: string, status: number): HttpError =>
  new HttpError(status, message, [{ path, message }]);

/** The error of a thing that `path` names and that there is not. */
export const noSuch = (path: string, message: string): HttpError => faultAt(path, message, 404);

/** Data that cannot be taken, with the reason of whoever looked at it; such a reason begins with its place, where it has one. */
export function rejectedData(reason: string): HttpError {
  const [, path = 'body', message = reason] = /^([\w.]+): (.*)$/s.exec(reason) ?? [];
  return new HttpError(422, reason, [{ path, message }]);
}

/** The problem of a status. */
export function problemOf(status: number, detail: string, errors: readonly FieldError[] = []): Problem {
  const title = problemTitles[status] ?? 'Error';
  return { type: `/docs#problem-${status}`, title, status, detail, errors: [...errors] };
}

/** A failed check, as problem 400. `whole` names what has no path: the body. */
export function invalidInput(error: z.ZodError, whole: string): HttpError {
  const errors = error.issues.flatMap((issue) => fieldErrorsOf(issue, whole)).slice(0, 20);
  const [first] = errors;
  return new HttpError(
    400,
    first === undefined ? `${whole}: wrong shape` : `${first.path}: ${first.message}`,
    errors,
  );
}

/** One error a name that is not known, so that each has its path. */
function fieldErrorsOf(issue: z.core.$ZodIssue, whole: string): FieldError[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not known here' }));
  const path = issue.path.length === 0 ? whole : issue.path.join('.');
  return [{ path, message: issue.message }];
}

const statusOf: Record<ErrorKind, number> = { invalid: 400, denied: 503, transient: 503, bug: 500 };

/** Any thrown value as a problem; of our own mistakes nothing goes out, and nothing of a library's words. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof HttpError) return problemOf(thrown.status, thrown.message, thrown.errors);
  if (thrown instanceof UnprocessableError) return toProblem(wrongField(thrown.path, thrown.reason, 422));
  const unread = thrown instanceof AppError ? undefined : unreadRequest(thrown);
  if (unread !== undefined) return toProblem(wrongField(unread.path, unread.message, unread.status));
  const { kind, message } = toAppError(thrown);
  const errors = kind === 'invalid' ? [{ path: 'request', message }] : [];
  return problemOf(statusOf[kind], kind === 'bug' ? 'internal error, see the log' : message, errors);
}

/** Sends a problem. */
export function sendProblem(response: Response, problem: Problem): void {
  if (problem.status === 503 && !response.hasHeader('Retry-After')) response.set('Retry-After', '2');
  response
    .status(problem.status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}
