// The small helpers that every part uses: deadline, back-off, acknowledgement, secret, first issue.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { within } from '../../contract/deadline.ts';
import { pubacks } from '../../contract/puback.ts';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import { firstIssue } from '../../contract/safe-parse.ts';

test('work within its deadline gives its own result, later ones what is said for late', async () => {
  const never = new Promise<string>(() => undefined);
  assert.equal(await within(60_000, Promise.resolve('done'), () => 'late'), 'done');
  assert.equal(await within(1, never, () => 'late'), 'late');
  const fail = () => {
    throw new Error('too late');
  };
  await assert.rejects(within(1, never, fail), /too late/);
  await assert.rejects(within(60_000, Promise.reject(new Error('own')), fail), /own/);
});

test('acknowledgements are packets of four bytes: PUBACK, two bytes follow, packet id', () => {
  const bytes = [0x40, 2, 0, 1, 0x40, 2, 1, 2, 0x40, 2, 0xff, 0xff];
  assert.deepEqual([...pubacks([1, 258, 65_535])], bytes);
});

test('secrets are the same only when every character is', () => {
  assert.ok(isSameSecret('sesame', 'sesame'));
  for (const other of ['', 'sesam', 'sesame ', 'Sesame']) assert.ok(!isSameSecret(other, 'sesame'));
});

test('the first issue names its place', () => {
  const { error } = z
    .object({ points: z.array(z.object({ v: z.number() })) })
    .safeParse({ points: [{ v: 'x' }] });
  assert.match(firstIssue(error ?? { issues: [] }), /^points\.0\.v: \S/);
  const whole = z.object({}).safeParse(3).error ?? { issues: [] };
  assert.match(firstIssue(whole, 'row'), /^row: \S/);
  assert.match(firstIssue(whole), /^Invalid/);
});
