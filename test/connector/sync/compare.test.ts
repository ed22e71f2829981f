// What differs between the two sides by revision and content, and in which revision a record goes out again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRecords, type OdooRevision } from '../../../connector/sync/compare.ts';

const own = (revision: number, hash: string | undefined = 'x', isSettled = true) => ({
  sourceId: 'a',
  revision,
  hash,
  isSettled,
});
const odoo = (revision: number, hash?: string) => new Map<string, OdooRevision>([['a', { revision, hash }]]);

for (const [name, ours, theirs, revision] of [
  ['the same', own(2), odoo(2, 'x'), undefined],
  ['the same content, in a later revision', own(2), odoo(5, 'x'), undefined],
  ['missing in Odoo', own(2), new Map<string, OdooRevision>(), 2],
  ['older in Odoo', own(2), odoo(1, 'y'), 2],
  ['older in Odoo, with our content', own(2), odoo(1, 'x'), 2],
  ['another content in one revision', own(2), odoo(2, 'y'), 3],
  ['another content in a later revision: our database was restored', own(2), odoo(7, 'y'), 8],
  ['content that Odoo does not know', own(2), odoo(2), 2],
  ['content that Odoo does not know, in a later revision', own(2), odoo(4), 4],
  ['content that cannot be sent any more', { ...own(2), hash: undefined }, odoo(2, 'y'), undefined],
] as const) {
  test(name, () => {
    const { differing, again, raised, surplus } = compareRecords([ours], theirs);
    assert.deepEqual(again, revision === undefined ? [] : [{ sourceId: 'a', revision }]);
    assert.equal(differing, again.length);
    assert.equal(raised.length, revision !== undefined && revision > 2 ? 1 : 0);
    assert.equal(surplus, 0);
  });
}

test('a record under way differs, and is left to its way', () => {
  const found = compareRecords([own(2, 'x', false)], odoo(1, 'y'));
  assert.deepEqual([found.differing, found.again], [1, []]);
});

test('what only Odoo has is surplus', () => {
  assert.equal(compareRecords([], odoo(1, 'y')).surplus, 1);
});
