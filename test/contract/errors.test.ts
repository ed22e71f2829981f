// Whatever is thrown becomes an AppError with a readable message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError, messageOf, toAppError } from '../../contract/errors.ts';

test('an AppError stays itself, anything else gets the kind and keeps its cause', () => {
  const mine = new AppError('denied', 'no key');
  assert.equal(toAppError(mine, 'transient'), mine);
  const cause = new Error('reset');
  const made = toAppError(cause, 'transient');
  assert.deepEqual([made.kind, made.message, made.cause], ['transient', 'reset', cause]);
  assert.equal(toAppError('x').kind, 'bug');
});

test('messages of what libraries throw', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  for (const [thrown, message] of [
    [new Error('plain'), 'plain'],
    // Node gives this for a host whose addresses all refuse.
    [
      new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]),
      '::1 refused; 127.0.0.1 refused',
    ],
    [new AggregateError([new Error('a')], 'both failed'), 'both failed'],
    [{ message: 'modbus timed out', errno: 'ETIMEDOUT' }, 'modbus timed out'],
    [{ code: 5 }, '{"code":5}'],
    [cyclic, '[object Object]'],
    [{ big: 1n }, '[object Object]'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ] as const) {
    assert.equal(messageOf(thrown), message);
  }
});

test('any thrown value has a message', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (thrown) => {
      assert.equal(typeof messageOf(thrown), 'string');
      assert.ok(toAppError(thrown) instanceof AppError);
    }),
  );
});
