// The fingerprint of a record's content: the same for the same content, whatever its order, key and revision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentHash } from '../../../../connector/odoo/mapping/content.ts';
import { mappings, toOdooRecord } from '../../../../connector/odoo/mapping/index.ts';
import { milkSession } from '../../outbox/records.ts';

test('order and absent values say nothing, values do', () => {
  assert.equal(contentHash({ a: 1, b: 'x' }), contentHash({ b: 'x', a: 1, c: null }));
  assert.notEqual(contentHash({ a: 1 }), contentHash({ a: '1' }));
  assert.notEqual(contentHash({ a: 1 }), contentHash({ b: 1 }));
});

test('a record carries it, and it does not know the revision', () => {
  const sent = (revision: number, fat: number) =>
    toOdooRecord(mappings.milk_session, {
      sourceId: 'f/m/1',
      revision,
      payload: { ...milkSession(), fat_pct: fat },
    })['content_hash'];
  assert.equal(sent(1, 4), sent(2, 4));
  assert.notEqual(sent(1, 4), sent(1, 4.1));
});
