// Halves of a device's values, and what became of them put together again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { halvesOf, joinOutcomes } from '../../../connector/ingest/halves.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import type { Outcome } from '../../../connector/sources/message.ts';
import { dataItem, message, t0 } from './message-fixture.ts';

function restItem(count: number): Item {
  const item = dataItem(
    Array.from({ length: count }, (_, index): [string, number, number] => ['temperature', t0 + index, index]),
  );
  return { ...item, message: message({ decoded: item.decoded }) };
}
const valuesOf = ({ decoded, message: { decoded: said } }: Item) => {
  assert.equal(said, decoded);
  return decoded.kind === 'data' ? decoded.data.points.map(({ value }) => value) : [];
};

test('a device’s message, a single value and a replay stay whole', () => {
  const item = restItem(4);
  assert.equal(halvesOf({ ...item, message: message() }), undefined);
  assert.equal(halvesOf(restItem(1)), undefined);
  assert.equal(halvesOf({ ...item, message: { ...item.message, deadLetterId: 3 } }), undefined);
});

test('halving down to single values costs exactly the bad ones, and says which, whatever they are', () => {
  const kinds = fc.array(fc.constantFrom('new', 'old', 'bad'), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(kinds, (rows) => {
      const write = (item: Item): Outcome => {
        const values = valuesOf(item);
        if (values.every((value) => rows[value] !== 'bad')) {
          const old = values.flatMap((value, index) => (rows[value] === 'old' ? [index] : []));
          return { kind: 'stored', points: values.length, duplicates: new Set(old) };
        }
        const halves = halvesOf(item);
        if (halves === undefined) return { kind: 'dead', reason: `bad ${values.join()}` };
        const counts = halves.map((half) => valuesOf(half).length);
        return joinOutcomes(halves.map(write), counts);
      };
      const outcome = write(restItem(rows.length));
      if (rows.length === 1 && rows[0] === 'bad') return assert.equal(outcome.kind, 'dead');
      assert.ok(outcome.kind === 'stored');
      assert.equal(outcome.points, rows.length);
      const of = (kind: string) => rows.flatMap((row, index) => (row === kind ? [index] : []));
      assert.deepEqual(
        [...outcome.duplicates].sort((a, b) => a - b),
        of('old'),
      );
      assert.deepEqual(
        [...(outcome.refused ?? [])],
        of('bad').map((index) => [index, `bad ${index}`]),
      );
    }),
  );
});
