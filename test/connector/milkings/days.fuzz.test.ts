// Any order, repetition and batch split of a day's messages gives the same milkings. MILKING_DAYS is how many days; 10,000 in the
// long form: `npm run fuzz -- milkings --runs 10000`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom, type Random } from '../../../scripts/dev/simulator/random.ts';
import { below, fuzzRuns } from '../../support/fuzz.ts';
import { makeDay, meters, type DayMessage } from './day.ts';
import { t0 } from './event.ts';
import { createFarm } from './memory.ts';

const isLong = process.env['FUZZ_RUNS'] !== undefined;
const days = Number(process.env['MILKING_DAYS'] ?? (isLong ? Math.min(fuzzRuns, 10_000) : 200));

test(`${days} generated days: order, repetition and batches do not show`, () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = createRandom(seed);
      const day = makeDay(random, t0);
      const calm = createFarm();
      for (const each of day.messages) calm.batch([each]);
      const expected = calm.records();
      for (const meter of meters) {
        const mine = [...expected].filter(([key]) => key.startsWith(`${meter}/`)).map(([, record]) => record);
        const kg = mine.reduce((sum, { yield_kg }) => sum + yield_kg, 0);
        assert.ok(Math.abs(kg - (day.kg[meter] ?? 0)) < 1e-6, `${meter}: ${kg} kg of ${day.kg[meter]}`);
        assert.equal(mine.length, day.milkings[meter], `milkings of ${meter}`);
      }
      const stormy = createFarm();
      for (const batch of disturbed(random, day.messages)) stormy.batch(batch);
      assert.deepEqual([...stormy.records()], [...expected]);
    }),
    // A smaller seed is no simpler day.
    { numRuns: days, endOnFailure: true },
  );
});

/** The messages in batches, out of order by a little or altogether, each at least once. */
function disturbed(random: Random, messages: readonly DayMessage[]): DayMessage[][] {
  const reach = [3, 30, messages.length][below(random, 3)] ?? 0;
  const again = messages.flatMap((message) => (random() < 0.3 ? [message, message] : [message]));
  const placed = again.map((message, index) => ({ message, place: index + random() * reach }));
  const order = placed.sort((left, right) => left.place - right.place).map(({ message }) => message);
  const batches: DayMessage[][] = [];
  while (order.length > 0) batches.push(order.splice(0, 1 + below(random, 20)));
  return batches;
}
