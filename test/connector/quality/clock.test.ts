// Clocks of devices: offsets measured in spite of backlogs and odd messages, values from the future marked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClockWatch } from '../../../connector/quality/clock.ts';
import type { DecodedData } from '../../../connector/decode/decoded.ts';
import { dataItem, t0 } from '../ingest/message-fixture.ts';

const tolerance = 60_000;
function data(at: number, changes: Partial<DecodedData> = {}): DecodedData {
  const { decoded } = dataItem([['temperature', at, 4]], { at, ...changes });
  assert.ok(decoded.kind === 'data');
  return decoded.data;
}
const qualityOf = (said: DecodedData) => said.points.map(({ quality }) => quality);

test('a clock that is right has an offset of its delay, told once', () => {
  const watch = createClockWatch(tolerance);
  for (let second = 0; second < 20; second++)
    watch.check('farm1/a', t0 + second * 1_000 + 200, data(t0 + second * 1_000));
  assert.deepEqual([...watch.takeOffsets()], [['farm1/a', 0.2]]);
  assert.deepEqual([...watch.takeOffsets()], []);
  assert.deepEqual(watch.counts(), { ahead: 0, behind: 0 });
});

test('nothing is said of a device that was hardly heard', () => {
  const watch = createClockWatch(tolerance);
  for (let second = 0; second < 3; second++) watch.check('farm1/a', t0 + second * 1_000, data(t0));
  assert.equal(watch.takeOffsets().size, 0);
});

test('ahead and behind are told apart, whatever comes along: stored messages of hours, now and then an odd time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -500_000, max: 5_000_000 }),
      fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 19 }),
      (offset, backlog, odd) => {
        const watch = createClockWatch(tolerance);
        for (let second = 0; second < 20; second++) {
          const arrived = t0 + second * 1_000;
          for (const age of backlog) watch.check('farm1/a', arrived, data(arrived - offset - age));
          watch.check('farm1/a', arrived + 10, data(second === odd ? t0 - 9e8 : arrived + 10 - offset));
        }
        assert.deepEqual([...watch.takeOffsets()], [['farm1/a', offset / 1_000]]);
        assert.deepEqual(watch.counts(), {
          ahead: offset < -tolerance ? 1 : 0,
          behind: offset > tolerance ? 1 : 0,
        });
      },
    ),
    { numRuns: 50 },
  );
});

test('a clock that is set right is seen to be right after some messages', () => {
  const watch = createClockWatch(tolerance);
  for (let second = 0; second < 20; second++)
    watch.check('farm1/a', t0 + second * 1_000, data(t0 + second * 1_000 + (second < 10 ? 300_000 : 0)));
  assert.deepEqual([...watch.takeOffsets()], [['farm1/a', 0]]);
});

test('values from the future are marked, but not those of a milking, nor those that are marked already', () => {
  const watch = createClockWatch(tolerance);
  const check = (said: DecodedData) => {
    watch.check('farm1/a', t0, said);
    return qualityOf(said);
  };
  assert.deepEqual(check(data(t0 + tolerance)), [0]);
  assert.deepEqual(check(data(t0 + tolerance + 1)), [3]);
  assert.deepEqual(check(data(t0 + 120_000, { session: { id: 's', event: 'record' } })), [0]);
  const flagged = data(t0 + 120_000);
  for (const point of flagged.points) point.quality = 2;
  assert.deepEqual(check(flagged), [2]);
  const points = [
    { metric: 'temperature', time: t0, value: 4, quality: 0 },
    { metric: 'temperature', time: t0 + 90_000, value: 4, quality: 0 },
  ];
  assert.deepEqual(check(data(t0, { points })), [0, 3]);
});
