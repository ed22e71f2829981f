// Decisions about waiting, halving and parking, by example and by property.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OdooReason } from '../../../connector/odoo/errors.ts';
import { backoffMs } from '../../../contract/backoff.ts';
import {
  crashPatience,
  decideCall,
  readResults,
  settle,
  type FailedCall,
} from '../../../connector/outbox/decide.ts';
import { defaultOutboxOptions } from '../../../connector/outbox/options.ts';

const { waits } = defaultOutboxOptions;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const backoff = fc.record({
  baseMs: fc.integer({ min: 1, max: 10_000 }),
  capMs: fc.integer({ min: 1, max: 3_600_000 }),
});
const reasons: OdooReason[] = [
  'unreachable',
  'overload',
  'busy',
  'crash',
  'denied',
  'misconfigured',
  'rejected',
];
const failed = (changes: Partial<FailedCall>): FailedCall => ({
  reason: 'unreachable',
  message: 'why',
  retryAfterMs: undefined,
  size: 10,
  failures: 1,
  halved: false,
  ...changes,
});

test('a wait stays between half a step and a step, never above the cap, never negative, and never shrinks with failures', () => {
  fc.assert(
    fc.property(backoff, fc.integer({ min: 0, max: 10_000 }), random, (settings, failures, dice) => {
      const wait = backoffMs(failures, settings, dice);
      const step = Math.min(settings.capMs, settings.baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 31));
      assert.ok(Number.isInteger(wait));
      assert.ok(wait >= Math.floor(step / 2) && wait <= Math.ceil(step));
      assert.ok(backoffMs(failures + 1, settings, dice) >= wait);
    }),
  );
});

test('every failed call leads somewhere: only a single record is ever settled, only a batch is ever halved, every pause ends', () => {
  fc.assert(
    fc.property(
      fc.record({
        reason: fc.constantFrom(...reasons),
        message: fc.string(),
        retryAfterMs: fc.option(fc.integer({ min: 0, max: 3_600_000 }), { nil: undefined }),
        size: fc.integer({ min: 1, max: 500 }),
        failures: fc.integer({ min: 1, max: 1000 }),
        halved: fc.boolean(),
      }),
      fc.integer({ min: 0, max: 1000 }),
      random,
      (call, attempts, dice) => {
        const decision = decideCall(call, attempts, waits, dice);
        if (decision.next === 'halve') assert.ok(call.size > 1);
        if (decision.next === 'settle') assert.equal(call.size, 1);
        if (decision.next === 'pause') {
          assert.ok(decision.waitMs > 0 && decision.waitMs <= 3_600_000);
          assert.ok(decision.waitMs >= (call.reason === 'busy' ? (call.retryAfterMs ?? 0) : 0));
        }
        // Only data that Odoo refused is parked; everything else arrives in the end.
        const parks = decision.next === 'settle' && decision.settlement.outcome === 'parked';
        assert.ok(!parks || call.reason === 'rejected');
      },
    ),
  );
});

test('a missing addon is nobody’s record’s fault', () => {
  const decision = decideCall(failed({ reason: 'misconfigured', size: 1 }), 0, waits, 0);
  assert.deepEqual(decision, { next: 'pause', state: 'misconfigured', waitMs: waits.probeMs });
});

test('a crash is the server’s fault first, a record’s later, and never parks it', () => {
  assert.equal(decideCall(failed({ reason: 'crash' }), 0, waits, 0).next, 'pause');
  assert.equal(decideCall(failed({ reason: 'crash', failures: crashPatience }), 0, waits, 0).next, 'halve');
  const single = decideCall(failed({ reason: 'crash', size: 1, halved: true }), 2, waits, 0);
  assert.ok(single.next === 'settle' && single.settlement.outcome === 'retry');
});

test('Retry-After is respected beyond the own step', () => {
  const decision = decideCall(failed({ reason: 'busy', retryAfterMs: 90_000 }), 0, waits, 0.5);
  assert.deepEqual(decision, { next: 'pause', state: 'ok', waitMs: 90_000 });
});

test('an answer counts only when it has one fitting result per record, in order', () => {
  const ok = (source_id: string) => ({
    source_id,
    status: 'created',
    id: 1,
    error: false,
    error_type: false,
  });
  assert.equal(readResults([ok('a'), ok('b')], ['a', 'b'])?.length, 2);
  assert.deepEqual(readResults([], []), []);
  for (const answer of [
    null,
    {},
    [],
    [ok('a')],
    [ok('b'), ok('a')],
    [ok('a'), { ...ok('b'), status: 'fine' }],
  ]) {
    assert.equal(readResults(answer, ['a', 'b']), undefined);
  }
});

test('a record’s own result', () => {
  const result = { source_id: 'a', id: 5, error: 'no', error_type: 'validation' as const };
  const record = waits.record;
  assert.deepEqual(settle({ ...result, status: 'stale' }, 0, record, 0), {
    outcome: 'stale',
    error: 'no',
    odooId: 5,
  });
  assert.deepEqual(settle({ ...result, status: 'updated' }, 0, record, 0), { outcome: 'sent', odooId: 5 });
  assert.deepEqual(settle({ ...result, status: 'error' }, 0, record, 0), { outcome: 'parked', error: 'no' });
  assert.deepEqual(settle({ ...result, status: 'error', error_type: 'transient' }, 1, record, 0), {
    outcome: 'retry',
    error: 'no',
    delayMs: record.baseMs,
  });
});
