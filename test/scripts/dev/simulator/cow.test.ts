// Cows and their milk: the flow curve holds the yield, and the same seed gives the same farm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCow, flowAt, planMilk, yieldAt } from '../../../../scripts/dev/simulator/cow.ts';

const milks = fc
  .record({ seed: fc.nat(1000), n: fc.integer({ min: 1, max: 24 }), number: fc.nat(50) })
  .map(({ seed, n, number }) => planMilk(createCow(seed, n), seed, n, number));

test('the area under the flow is the yield, at every moment', () => {
  fc.assert(
    fc.property(milks, fc.double({ min: 0, max: 1, noNaN: true }), (milk, share) => {
      const until = milk.durationS * share;
      const steps = 2000;
      let area = 0;
      for (let i = 0; i < steps; i++)
        area += (flowAt(milk, ((i + 0.5) * until) / steps) * until) / steps / 60;
      assert.ok(Math.abs(area - yieldAt(milk, until)) < 0.01);
    }),
    { numRuns: 50 },
  );
});

test('a milking is a believable one', () => {
  fc.assert(
    fc.property(milks, (milk) => {
      assert.equal(yieldAt(milk, milk.durationS), milk.yieldKg);
      assert.ok(milk.yieldKg >= 1 && milk.yieldKg < 25);
      assert.ok(milk.plateauS >= 0 && milk.durationS > 120 && milk.durationS < 900);
      assert.ok(
        milk.fat > 2 && milk.fat < 6 && milk.protein > 2 && milk.sccPerMl >= 0 && milk.conductivity < 10,
      );
    }),
  );
});

test('the same seed gives the same cow, another one another', () => {
  assert.deepEqual(createCow(1, 5), createCow(1, 5));
  assert.notDeepEqual(createCow(1, 5), createCow(2, 5));
  assert.equal(createCow(1, 5).rfid, '050000000000005');
});
