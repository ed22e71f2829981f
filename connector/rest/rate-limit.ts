// Rate limits: requests by token, wrong tokens by address.
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, MemoryStore, rateLimit } from 'express-rate-limit';
import { problemOf, sendProblem } from './problem.ts';

/** Requests a minute. */
export interface RateLimits {
  requestsPerMinute: number;
  failedLoginsPerMinute: number;
  /** Without a token, of one address: health, metrics, the API's description. */
  openRequestsPerMinute: number;
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

/** Wrong tokens, signatures and hook addresses, counted together by the address that they came from, whichever door they tried. */
export interface FailedLogins {
  /** Stands behind a door that has put its reason into `response.locals.denied`. Whoever is right passes, whatever others behind the same address have tried. */
  limitDenied: RequestHandler;
  /** Counts one at a door that is no route; false when there were too many. */
  count: (address: string) => Promise<boolean>;
}

/** Makes the counter. */
export function countFailedLogins({ failedLoginsPerMinute: limit }: RateLimits): FailedLogins {
  const store = new MemoryStore();
  const limitDenied = rateLimit({
    ...common,
    store,
    limit,
    identifier: 'failed-logins',
    keyGenerator: addressOf,
    skip: (_request, response) => response.locals['denied'] === undefined,
    handler: tooMany(`more than ${limit} wrong tokens or signatures a minute`),
  });
  return {
    limitDenied,
    count: async (address) => (await store.increment(ipKeyGenerator(address))).totalHits <= limit,
  };
}

const addressOf = (request: Request) => ipKeyGenerator(request.ip ?? '');

/** Counts requests by address, but for those that `isFree` lets through. */
export function limitOpen(
  { openRequestsPerMinute: limit }: RateLimits,
  isFree: (request: Request) => boolean,
): RequestHandler {
  return rateLimit({
    ...common,
    limit,
    identifier: 'open-requests',
    keyGenerator: addressOf,
    skip: isFree,
    handler: tooMany(`more than rest.open_requests_per_minute = ${limit} requests without a token`),
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
