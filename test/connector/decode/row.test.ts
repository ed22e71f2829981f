// The fast check of rows takes exactly what the schema takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { isUsualRow, rowSchema } from '../../../connector/decode/row.ts';

const rarely = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: fc.jsonValue() });
const text = rarely(
  fc.oneof({ weight: 9, arbitrary: fc.string() }, { weight: 1, arbitrary: fc.string({ minLength: 60 }) }),
);
const number = rarely(fc.double({ noNaN: true, noDefaultInfinity: true }));
const nullable = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: fc.constant(null) });
const fields = fc.record(
  {
    device_uid: text,
    farm_id: fc.oneof(text, fc.integer(), fc.constantFrom(2 ** 53, 1.5)),
    farm: text,
    device_type: text,
    metric_name: text,
    metric: text,
    metric_value: number,
    value: number,
    metric_unit: nullable(text),
    unit: nullable(text),
    timestamp: nullable(
      rarely(fc.oneof(fc.string(), fc.string({ minLength: 38, maxLength: 43 }), fc.integer(), fc.double())),
    ),
    battery_level: nullable(number),
    signal_strength: nullable(number),
    note: fc.jsonValue(),
  },
  { requiredKeys: ['device_uid'] },
);
const extraKey = rarely(fc.constant('')).map((key) => (key === '' ? '' : '"__proto__":{"device_uid":"x"},'));
// As JSON gives it: no NaN, no undefined, __proto__ a key like any other; 1e999 is a number without end.
const row = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue() },
  {
    weight: 60,
    arbitrary: fc
      .tuple(fields, extraKey)
      .map(([payload, extra]) => JSON.parse(`{${extra}${JSON.stringify(payload).slice(1)}`) as unknown),
  },
);

test('the fast check and the schema agree', () => {
  const count = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(row, (raw) => {
      const usual = isUsualRow(raw);
      count[usual ? 'taken' : 'refused'] += 1;
      const parsed = rowSchema.safeParse(raw);
      assert.equal(usual, parsed.success, inspect(raw));
      if (!usual || parsed.data === undefined) return;
      for (const key of Object.keys(rowSchema.shape) as (keyof typeof parsed.data)[])
        assert.deepEqual(raw[key], parsed.data[key], inspect(raw));
    }),
    { numRuns: 10_000 },
  );
  assert.ok(count.taken > 1_000 && count.refused > 1_000, inspect(count));
});

test('numbers without end', () => {
  for (const field of ['value', 'timestamp', 'battery_level', 'farm_id']) {
    const raw = JSON.parse(`{"device_uid":"a","${field}":1e999}`) as unknown;
    assert.equal(isUsualRow(raw), false, field);
    assert.equal(rowSchema.safeParse(raw).success, false, field);
  }
});
