// Moments as parameters: what says no offset is the farm's time, also where its clocks are set forward and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentSchemaIn } from '../../../connector/rest/lookup.ts';

test('an offset counts; without one it is local time, and a date is its midnight', () => {
  const dhaka = momentSchemaIn('Asia/Dhaka');
  for (const [text, utc] of [
    ['2026-11-01T06:00:00Z', '2026-11-01T06:00:00.000Z'],
    ['2026-11-01T06:00:00+02:00', '2026-11-01T04:00:00.000Z'],
    ['2026-11-01T06:00:00.250', '2026-11-01T00:00:00.250Z'],
    ['2026-11-01T06:00', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01', '2026-10-31T18:00:00.000Z'],
  ] as const)
    assert.equal(dhaka.parse(text).toISOString(), utc, text);
  for (const text of ['yesterday', '2026-11-31', '2026-11-01 06:00', ''])
    assert.throws(() => dhaka.parse(text), text);
});

test('summer and winter time', () => {
  const berlin = momentSchemaIn('Europe/Berlin');
  assert.deepEqual(
    ['2026-07-01', '2026-12-01'].map((day) => berlin.parse(day).toISOString()),
    ['2026-06-30T22:00:00.000Z', '2026-11-30T23:00:00.000Z'],
  );
});
