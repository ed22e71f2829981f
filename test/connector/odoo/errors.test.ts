// Sorting of failures: what Odoo says decides what happens next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  OdooError,
  firstLine,
  fromException,
  fromStatus,
  parseRetryAfter,
  type OdooException,
  type OdooReason,
} from '../../../connector/odoo/errors.ts';

const cases: [OdooException, OdooReason][] = [
  [{ name: 'odoo.exceptions.ValidationError', message: 'no', status: 422 }, 'rejected'],
  [{ name: 'odoo.exceptions.UserError', message: 'no' }, 'rejected'],
  [{ name: 'odoo.exceptions.MissingError', message: 'gone', status: 404 }, 'crash'],
  [
    { name: 'Fault', message: 'Record does not exist or has been deleted.\n(Record: x(1,), User: 2)' },
    'crash',
  ],
  [{ name: 'odoo.exceptions.AccessError', message: 'no', status: 403 }, 'denied'],
  [{ name: 'odoo.exceptions.AccessDenied', message: 'Access Denied' }, 'denied'],
  [{ name: 'werkzeug.exceptions.Unauthorized', message: 'Invalid apikey', status: 401 }, 'denied'],
  [
    { name: 'werkzeug.exceptions.NotFound', message: "the model 'iot.alert' does not exist", status: 404 },
    'misconfigured',
  ],
  [{ name: 'odoo.exceptions.UserError', message: "Object iot.alert doesn't exist" }, 'misconfigured'],
  [
    {
      name: 'builtins.AttributeError',
      message: "type object 'iot.alert' has no attribute 'upsert_batch'",
    },
    'misconfigured',
  ],
  [
    {
      name: 'werkzeug.exceptions.UnprocessableEntity',
      message: "missing a required argument: 'records'",
      status: 422,
    },
    'misconfigured',
  ],
  [
    {
      name: 'psycopg2.OperationalError',
      message: 'connection to server failed: FATAL:  database "farm" does not exist\n',
    },
    'misconfigured',
  ],
  [
    { name: 'psycopg2.OperationalError', message: 'could not connect to server: Connection refused' },
    'unreachable',
  ],
  [{ name: 'psycopg2.errors.SerializationFailure', message: 'could not serialize access' }, 'busy'],
  [{ name: 'odoo.exceptions.ConcurrencyError', message: 'try again' }, 'busy'],
  [{ name: 'builtins.ZeroDivisionError', message: 'division by zero' }, 'crash'],
];
for (const [exception, reason] of cases) {
  test(`exception ${exception.name}: ${exception.message.slice(0, 50)} is ${reason}`, () => {
    assert.equal(fromException(exception).reason, reason);
  });
}

test('statuses without an exception of Odoo', () => {
  const reasons = [301, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504].map(
    (status) => fromStatus(status, '').reason,
  );
  assert.deepEqual(reasons, [
    'misconfigured',
    'denied',
    'denied',
    'misconfigured',
    'overload',
    'overload',
    'busy',
    'unreachable',
    'unreachable',
    'unreachable',
    'overload',
  ]);
});

test('a reason has the kind that the rest of the connector acts upon', () => {
  assert.equal(new OdooError('busy', '').kind, 'transient');
  assert.equal(new OdooError('denied', '').kind, 'denied');
  assert.equal(new OdooError('rejected', '').kind, 'invalid');
});

test('Retry-After in seconds, as a date, and as nonsense', () => {
  const now = Date.parse('2026-03-01T06:00:00Z');
  assert.equal(parseRetryAfter('7', now), 7_000);
  assert.equal(parseRetryAfter('Sun, 01 Mar 2026 06:00:30 GMT', now), 30_000);
  assert.equal(parseRetryAfter('Sun, 01 Mar 2026 05:00:00 GMT', now), 0);
  assert.equal(parseRetryAfter('999999', now), 300_000);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(null, now), undefined);
});

test('a traceback becomes one short line', () => {
  assert.equal(firstLine('\nKeyError: x\n  File "a.py"'), 'KeyError: x');
  assert.equal(firstLine('x'.repeat(1000)).length, 301);
});
