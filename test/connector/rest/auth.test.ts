// The token check is right and compares in constant time.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAuthorized } from '../../../connector/rest/auth.ts';

test('only the token itself opens', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{16,40}$/);
  fc.assert(
    fc.property(token, fc.oneof(token, fc.string()), (right, given) => {
      assert.equal(isAuthorized(`Bearer ${right}`, right), true);
      assert.equal(isAuthorized(`Bearer ${given}`, right), given === right);
      assert.equal(isAuthorized(given, right), false);
      assert.equal(isAuthorized(undefined, right), false);
    }),
  );
});

test('tokens of any length are compared by timingSafeEqual, as digests of one length', (t) => {
  const compare = t.mock.method(crypto, 'timingSafeEqual');
  syncBuiltinESMExports();
  t.after(() => {
    compare.mock.restore();
    syncBuiltinESMExports();
  });
  for (const header of [undefined, 'Bearer x', `Bearer ${'y'.repeat(5_000)}`, 'Bearer the-right-token']) {
    isAuthorized(header, 'the-right-token');
    const [left, right] = compare.mock.calls.at(-1)?.arguments as [Buffer, Buffer];
    assert.deepEqual([left.length, right.length], [32, 32]);
  }
  assert.equal(compare.mock.callCount(), 4);
});
