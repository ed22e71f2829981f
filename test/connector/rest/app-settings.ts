// Settings of the REST application for tests: nothing limits them unless they say so.
import { countFailedLogins } from '../../../connector/rest/rate-limit.ts';
import type { AppSettings } from '../../../connector/rest/server.ts';

export const token = 'a-token-of-this-test';
export const farmToken = 'a-token-of-farm-1-only';

/** No limit that a test meets. */
export const noLimits = { requestsPerMinute: 1e9, failedLoginsPerMinute: 1e9, openRequestsPerMinute: 1e9 };
export const noConnectionLimits = { perAddress: 1e6, total: 1e6, proxies: [] };

/** Settings with what the test wants otherwise. */
export function appSettings(wanted: Partial<AppSettings> = {}): AppSettings {
  const limits = wanted.limits ?? noLimits;
  return {
    token,
    farmTokens: { farm1: farmToken },
    limits,
    logins: countFailedLogins(limits),
    trustedProxies: [],
    aroundPost: (_request, _response, run) => run(),
    ...wanted,
  };
}
