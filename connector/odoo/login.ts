// Login for the two older protocols: they want a user id, which is asked for once and forgotten when refused.
import { OdooError } from './errors.ts';

/** Remembers the user id of a login. */
export interface Login {
  /** Runs a call with the user id, logging in first if needed. */
  withUid<T>(call: (uid: number) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** `authenticate` gives Odoo's answer to common.authenticate: a user id, or false. */
export function createLogin(authenticate: (signal?: AbortSignal) => Promise<unknown>): Login {
  let uid: number | undefined;
  return {
    async withUid(call, signal) {
      if (uid === undefined) {
        const answer = await authenticate(signal);
        if (typeof answer !== 'number') {
          throw new OdooError(
            'denied',
            'Odoo refused the login: check the integration user and ODOO_API_KEY, it may be revoked or expired',
          );
        }
        uid = answer;
      }
      try {
        return await call(uid);
      } catch (error) {
        if (error instanceof OdooError && error.reason === 'denied') uid = undefined;
        throw error;
      }
    },
  };
}

/** Named arguments as execute_kw wants them: `ids`, or what `create` makes, first by position, the rest as keywords. */
export function toExecuteKw(args: Readonly<Record<string, unknown>>): [unknown[], Record<string, unknown>] {
  const { ids, vals_list: values, ...kwargs } = args;
  const first = ids ?? values;
  return [first === undefined ? [] : [first], kwargs];
}
