// The short form of `npm run chaos`: six faults under load on services of its own, and every message accounted for.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { noOdoo } from '../support/stack.ts';

test('six faults under load lose nothing and double nothing', { skip: noOdoo() }, async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/dev/chaos/main.ts', '--quick']);
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  t.diagnostic(JSON.stringify(result));
  assert.equal(result['faults'], 6);
  assert.ok((result['published'] ?? 0) > 5_000);
  assert.equal((result['stored'] ?? 0) + (result['broker_lost'] ?? 0), result['published']);
  const none = [
    ...['lost', 'duplicates', 'dead_letters_twice', 'same_lost', 'same_twice', 'wrong_milkings'],
    ...['odoo_duplicates', 'odoo_wrong', 'odoo_differing', 'odoo_surplus'],
  ];
  for (const key of none) assert.equal(result[key], 0, key);
  assert.equal(result['odoo_found'], result['odoo_expected']);
});
