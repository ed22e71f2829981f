// Every way a call to Odoo goes wrong, sorted by what has to happen next.
import { AppError, type ErrorKind } from '../../contract/errors.ts';

/**
 * - `unreachable`: network, timeout, 5xx, an answer that is not Odoo's. Wait and repeat.
 * - `overload`: timeout of a running call, or too much data. Wait and repeat with less.
 * - `busy`: 429 or 503 with a wish how long to wait, or a serialization failure. Wait and repeat.
 * - `crash`: a Python exception in the server, or a record that was deleted meanwhile. Repeat, and if it stays, one record may be the reason.
 * - `denied`: key refused or rights missing. Somebody has to act in Odoo.
 * - `misconfigured`: no such model, method, database or page. Somebody has to act.
 * - `rejected`: Odoo understood and refused the data. Repeating does not help.
 */
export type OdooReason =
  'unreachable' | 'overload' | 'busy' | 'crash' | 'denied' | 'misconfigured' | 'rejected';

const kinds: Record<OdooReason, ErrorKind> = {
  unreachable: 'transient',
  overload: 'transient',
  busy: 'transient',
  crash: 'transient',
  denied: 'denied',
  misconfigured: 'invalid',
  rejected: 'invalid',
};

/** A failed call. `retryAfterMs` is what the server asked for. */
export class OdooError extends AppError {
  readonly reason: OdooReason;
  readonly retryAfterMs: number | undefined;

  constructor(reason: OdooReason, message: string, options: { retryAfterMs?: number | undefined } = {}) {
    super(kinds[reason], message);
    this.name = 'OdooError';
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A Python exception as Odoo serializes it; `status` is the HTTP status where the protocol has one for errors. */
export interface OdooException {
  name: string;
  message: string;
  status?: number | undefined;
}

const conflicts =
  /SerializationFailure|DeadlockDetected|LockNotAvailable|ConcurrencyError|LockError|could not serialize|deadlock detected/;
const noSuchThing =
  /the model '.*' does not exist|The method '.*' does not exist|Object .* doesn't exist|has no attribute '/;
const wrongSignature =
  /unexpected keyword argument|missing (a|\d+) required|too many positional|positional arguments? but/;
/** Of `iot.connector._check_meant` in our addon, whatever the language of the user. */
const anotherDatabase = /smart_dairy_database/;
const adviceInstall = 'install or update the addon smart_dairy_iot in this Odoo database';

/** Sorts a Python exception. Its name decides first, then its text, then the HTTP status. */
export function fromException({ name, message, status }: OdooException): OdooError {
  const text = firstLine(message);
  if (/AccessDenied|Unauthorized|SessionExpired/.test(name) || status === 401) {
    return new OdooError(
      'denied',
      `Odoo refused the API key (${text}): check ODOO_API_KEY, it may be revoked or expired`,
    );
  }
  if (anotherDatabase.test(message)) return new OdooError('misconfigured', `Odoo refused the call: ${text}`);
  if (/AccessError|Forbidden/.test(name) || status === 403) {
    return new OdooError(
      'denied',
      `Odoo denied access (${text}): the integration user needs the group Connector: Integration`,
    );
  }
  if (conflicts.test(name) || conflicts.test(message)) {
    return new OdooError('busy', `Odoo met a conflicting change (${text})`);
  }
  if (/database ".*" does not exist/.test(message)) {
    return new OdooError('misconfigured', `Odoo has no such database (${text}): check ODOO_DB`);
  }
  if (noSuchThing.test(message)) return new OdooError('misconfigured', `${text}: ${adviceInstall}`);
  if (wrongSignature.test(message)) {
    return new OdooError(
      'misconfigured',
      `the addon does not fit this connector (${text}): ${adviceInstall}`,
    );
  }
  // Looked up in one call, deleted by a person before the next: a repetition looks again.
  if (/MissingError/.test(name) || /Record does not exist or has been deleted/.test(message)) {
    return new OdooError('crash', `a record was deleted during the call (${text})`);
  }
  if (/^odoo\.exceptions\.|UnprocessableEntity|BadRequest/.test(name)) {
    return new OdooError('rejected', `Odoo refused the data: ${text}`);
  }
  if (status !== undefined && status !== 200) return fromStatus(status, text);
  if (/OperationalError|InterfaceError|PoolError/.test(name)) {
    return new OdooError('unreachable', `Odoo cannot reach its database (${text})`);
  }
  return new OdooError('crash', `Odoo failed with ${name}: ${text}`);
}

/** Sorts an HTTP status that came with no exception of Odoo, or one of the web server before it. */
export function fromStatus(status: number, detail: string, retryAfterMs?: number): OdooError {
  const suffix = detail === '' ? '' : ` (${firstLine(detail)})`;
  if (status === 401 || status === 403) {
    return new OdooError(
      'denied',
      `Odoo answered ${status}${suffix}: check ODOO_API_KEY and its user's rights`,
    );
  }
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return new OdooError('busy', `Odoo answered ${status}, too many requests${suffix}`, { retryAfterMs });
  }
  if (status === 413) return new OdooError('overload', `Odoo answered 413, too much data at once${suffix}`);
  if (status === 408 || status === 504) {
    return new OdooError('overload', `Odoo answered ${status}, it took too long${suffix}`);
  }
  if (status >= 500)
    return new OdooError('unreachable', `Odoo answered ${status}${suffix}`, { retryAfterMs });
  if (status >= 300 && status < 400) {
    return new OdooError('misconfigured', `Odoo redirects${suffix}: put the final address into ODOO_URL`);
  }
  if (status === 404) {
    return new OdooError('misconfigured', `Odoo answered 404${suffix}: check ODOO_URL and ODOO_DB`);
  }
  return new OdooError('misconfigured', `Odoo answered ${status}${suffix}: is ODOO_URL an Odoo server?`);
}

/** Milliseconds of a `Retry-After` header: seconds or an HTTP date. Undefined without a usable one; never above five minutes: the server may be back sooner. */
export function parseRetryAfter(header: string | null | undefined, nowMs: number): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  const delayMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), 300_000) : undefined;
}

/** The first line of a text, cut to what fits into a log line. */
export function firstLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
