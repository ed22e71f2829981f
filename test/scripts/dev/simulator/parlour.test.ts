// The parlour's schedule: the same whatever the steps it is advanced in, and one cow at a place at a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCow } from '../../../../scripts/dev/simulator/cow.ts';
import { createParlour, type Group, type ParlourEvent } from '../../../../scripts/dev/simulator/parlour.ts';

const place = (index: number) => ({ uid: `p${index}`, stall: String(index), index });
const groups: Group[] = [
  { places: [place(0), place(1), place(2)], cows: [1, 2, 3, 4, 5, 6].map((n) => createCow(3, n)) },
  { places: [place(10)], cows: [7, 8].map((n) => createCow(3, n)) },
];
const dayS = 4000;
const told = (events: ParlourEvent[]) =>
  events.map(
    ({ type, atS, milking }) => `${atS.toFixed(3)} ${type} ${milking.place.uid} ${milking.cow.rfid}`,
  );

test('the day does not depend on how often one looks', () => {
  const whole = told(createParlour(groups, 3, 20).advance(dayS));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: dayS })), (moments) => {
      const parlour = createParlour(groups, 3, 20);
      const events = [...moments.toSorted((a, b) => a - b), dayS].flatMap((atS) => parlour.advance(atS));
      assert.deepEqual(told(events), whole);
    }),
    { numRuns: 30 },
  );
});

test('at a place one milking follows the other, and no cow is in two places', () => {
  const events = createParlour(groups, 3).advance(dayS);
  const busy = new Map<string, string>();
  for (const { type, milking } of events) {
    const { uid } = milking.place;
    if (type === 'enter') {
      assert.equal(busy.get(uid), undefined);
      assert.ok(![...busy.values()].includes(milking.cow.rfid));
      busy.set(uid, milking.cow.rfid);
    } else assert.equal(busy.get(uid), milking.cow.rfid);
    if (type === 'end') busy.delete(uid);
  }
});

test('it opens in the middle of a milking and stops after the last one allowed', () => {
  const parlour = createParlour(groups, 3, 6);
  const opening = parlour.advance(0);
  assert.equal(opening.filter(({ type }) => type === 'start').length, 4);
  assert.equal(opening.filter(({ type }) => type === 'end').length, 0);
  assert.equal(parlour.finished(), false);
  const rest = parlour.advance(100_000);
  assert.equal(rest.filter(({ type }) => type === 'end').length, 6);
  assert.equal(parlour.finished(), true);
});
