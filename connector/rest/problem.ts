// Errors as RFC 9457 problem details: what is wrong, and what to do next.
import type { Response } from 'express';
import * as z from 'zod';
import {
  AppError,
  messageOf,
  toAppError,
  UnprocessableError,
  type ErrorKind,
} from '../../contract/errors.ts';

/** One wrong field. `path` is dotted, e.g. `readings.3.metric_name`. */
const fieldErrorSchema = z.strictObject({ path: z.string(), message: z.string() });
type FieldError = z.infer<typeof fieldErrorSchema>;

/** The body of every error. */
export const problemSchema = z.strictObject({
  type: z.string().describe('Where this kind of problem is explained'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(fieldErrorSchema).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Titles by status; the page at /docs explains them. */
export const problemTitles: Readonly<Record<number, string>> = {
  400: 'The request is wrong',
  401: 'The token is missing or wrong',
  404: 'There is no such thing',
  409: 'Not possible as things stand',
  413: 'The body is too large',
  415: 'The body cannot be read',
  422: 'The data cannot be taken',
  429: 'Too many requests',
  500: 'The connector made a mistake',
  503: 'Not available now, try again',
};

/** An error with a status of its own. */
export class HttpError extends AppError {
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;

  constructor(status: number, detail: string, errors?: readonly FieldError[]) {
    super(status >= 500 ? 'transient' : 'invalid', detail);
    this.name = 'HttpError';
    this.status = status;
    this.errors = errors;
  }
}

/** The problem of a status. */
export function problemOf(status: number, detail: string, errors?: readonly FieldError[]): Problem {
  const title = problemTitles[status] ?? 'Error';
  const problem = { type: `/docs#problem-${status}`, title, status, detail };
  return errors === undefined ? problem : { ...problem, errors: [...errors] };
}

/** A failed zod check, as problem 400. */
export function invalidInput(error: z.ZodError): HttpError {
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join('.'), message }));
  const [first] = errors;
  return new HttpError(400, first === undefined ? 'wrong shape' : describe(first), errors);
}

const describe = ({ path, message }: FieldError) => (path === '' ? message : `${path}: ${message}`);

const statusOf: Record<ErrorKind, number> = { invalid: 400, denied: 503, transient: 503, bug: 500 };

/** Any thrown value as a problem; of our own mistakes nothing goes out. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof HttpError) return problemOf(thrown.status, thrown.message, thrown.errors);
  if (thrown instanceof UnprocessableError) return problemOf(422, thrown.message);
  // What express and its body parser throw.
  const status = thrown instanceof AppError ? undefined : (thrown as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return problemOf(status, messageOf(thrown));
  const { kind, message } = toAppError(thrown);
  return problemOf(statusOf[kind], kind === 'bug' ? 'internal error, see the log' : message);
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
