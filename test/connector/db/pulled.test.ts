// What every pulled kind says of itself, and the lists that are made of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  keptOf,
  pulledKinds,
  pullKinds,
  pullKindSchema,
  withDeletions,
} from '../../../connector/db/pulled/index.ts';

test('kinds come after those that they refer to, and deletions last', () => {
  const order = (first: (typeof pullKinds)[number], then: (typeof pullKinds)[number]) =>
    assert.ok(pullKinds.indexOf(first) < pullKinds.indexOf(then), `${first} before ${then}`);
  order('farm', 'pen');
  order('pen', 'animal');
  order('animal', 'animal_tag');
  order('animal', 'assignment');
  order('device', 'assignment');
  assert.equal(pullKinds.at(-1), 'tombstone');
});

test('each is found by its name; all but deletions are kept, in tables of their own', () => {
  const tables = pullKinds.flatMap((kind) => keptOf(kind)?.table ?? []);
  assert.equal(new Set(tables).size, pullKinds.length - 1);
  assert.equal(keptOf('tombstone'), undefined);
  for (const kind of pullKinds) {
    assert.equal(pulledKinds[kind].kind, kind);
    assert.equal(pullKindSchema.parse(kind), kind);
  }
});

test('whoever pulls a kind asks for deletions too, once', () => {
  assert.deepEqual(withDeletions(['farm', 'pen']), ['farm', 'pen', 'tombstone']);
  assert.deepEqual(withDeletions(['tombstone']), ['tombstone']);
});
