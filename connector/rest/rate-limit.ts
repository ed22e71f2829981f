// Rate limits: requests by token, wrong tokens by address.
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { problemOf, sendProblem } from './problem.ts';

/** Requests a minute. */
export interface RateLimits {
  requestsPerMinute: number;
  failedLoginsPerMinute: number;
}

const common = {
  windowMs: 60_000,
  standardHeaders: 'draft-8',
  legacyHeaders: false,
  // Behind a proxy all addresses are the proxy's, which only makes the limit on wrong tokens a common one.
  validate: { xForwardedForHeader: false },
} as const;

const tooMany = (what: string) => (_request: Request, response: Response) =>
  sendProblem(response, problemOf(429, `${what}; wait as long as Retry-After says`));

/** Counts wrong tokens by address; whoever has the right one is never held up by others behind the same address. */
export function limitFailedLogins(
  { failedLoginsPerMinute }: RateLimits,
  isRight: (request: Request) => boolean,
): RequestHandler {
  return rateLimit({
    ...common,
    limit: failedLoginsPerMinute,
    identifier: 'failed-logins',
    keyGenerator: (request) => ipKeyGenerator(request.ip ?? ''),
    skip: isRight,
    handler: tooMany(`more than ${failedLoginsPerMinute} wrong tokens a minute`),
  });
}

/** Counts requests by token; stands after the check of the token. */
export function limitRequests({ requestsPerMinute }: RateLimits): RequestHandler {
  return rateLimit({
    ...common,
    limit: requestsPerMinute,
    identifier: 'requests',
    keyGenerator: callerOf,
    handler: tooMany(`more than rest.requests_per_minute = ${requestsPerMinute} requests`),
  });
}

/** Who calls, without keeping the token itself. */
export const callerOf = (request: Request): string =>
  createHash('sha256')
    .update(request.get('authorization') ?? '')
    .digest('base64url')
    .slice(0, 16);
