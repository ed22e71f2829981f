// What every record kind says of itself, and the lists that are made of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mappedKinds } from '../../../../connector/odoo/foreign/mappings.ts';
import { recordKeys } from '../../../../connector/odoo/foreign/schema.ts';
import {
  dailyKinds,
  mappings,
  reconciledKinds,
  recordKinds,
} from '../../../../connector/odoo/mapping/index.ts';

test('kinds have a name, a model and a live event of their own', () => {
  const all = Object.values(mappings);
  assert.deepEqual(Object.keys(mappings), recordKinds);
  assert.equal(new Set(all.map(({ model }) => model)).size, all.length);
  const events = all.flatMap(({ live }) => live ?? []);
  assert.equal(new Set(events).size, events.length);
});

test('devices are sent first: what they measured refers to them', () => {
  assert.equal(recordKinds[0], 'device');
});

test('what is compared by day has a moment, and its sum is a number of the record', () => {
  assert.deepEqual(
    reconciledKinds.filter((kind) => mappings[kind].compare.by === 'day'),
    dailyKinds,
  );
  for (const kind of dailyKinds) {
    const { sum } = mappings[kind].compare;
    if (sum !== null) assert.equal(recordKeys(kind).get(sum.key), 'number', kind);
  }
});

test('an Odoo of others knows the same kinds', () => {
  const mapping = { addons: false, module: 'x', kinds: {}, complain: () => '' };
  assert.deepEqual(Object.keys(mappedKinds(mapping)), recordKinds);
});
