// The one error class: what kind of trouble it is decides what happens next.

/**
 * - `invalid`: the input is wrong and stays wrong; dead-letter or park it, tell whoever sent it.
 * - `transient`: the same call may succeed later; retry with back-off.
 * - `denied`: credentials or rights are missing; pause the target and say so.
 * - `bug`: ours; log it and fail loudly.
 */
export type ErrorKind = 'invalid' | 'transient' | 'denied' | 'bug';

/** An error with a kind. Caught only at a boundary (message, job, request, main) and logged there once. */
export class AppError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.kind = kind;
  }
}

/**
 * What was asked for is understood and cannot be done: `invalid` not by its shape, so that REST answers 422 instead of 400. `path` is
 * the field at fault, `reason` what is wrong with it.
 */
export class UnprocessableError extends AppError {
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super('invalid', `${path}: ${reason}`);
    this.name = 'UnprocessableError';
    this.path = path;
    this.reason = reason;
  }
}

/** Any thrown value as an AppError; what is not one already gets `kind`. Libraries here reject with plain objects. */
export function toAppError(thrown: unknown, kind: ErrorKind = 'bug'): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError(kind, messageOf(thrown), { cause: thrown });
}

/** A readable message of any thrown value. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ');
  }
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === 'object' && thrown !== null) {
    const message = (thrown as Record<string, unknown>)['message'];
    if (typeof message === 'string') return message;
    return asJson(thrown);
  }
  return String(thrown);
}

/** JSON of an object; cyclic ones, bigints and the like have none. */
function asJson(thrown: object): string {
  try {
    return JSON.stringify(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
