// The fast check of envelopes takes nothing that the schema refuses, and needs no help with what devices really send.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { isUsualEnvelope } from '../../../connector/decode/usual-envelope.ts';

const rarely = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: fc.jsonValue() });
const moment = rarely(
  fc.oneof(
    fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
      .map((date) => date.toISOString()),
    fc.constantFrom(
      '2026-11-20T05:42:10+06:00',
      '2026-02-30T00:00:00Z',
      '2026-11-20T24:00:00Z',
      '2026-11-20 05:42',
    ),
    fc.integer(),
  ),
);
const point = rarely(
  fc.record(
    {
      m: rarely(fc.string({ maxLength: 64 })),
      t: moment,
      v: rarely(fc.double({ noNaN: true, noDefaultInfinity: true })),
      q: rarely(fc.integer({ min: 0, max: 32_767 })),
    },
    { requiredKeys: ['m', 'v'] },
  ),
);
const fields = fc.record(
  {
    v: rarely(fc.constant(1)),
    id: rarely(fc.string()),
    at: moment,
    points: rarely(fc.array(point, { maxLength: 5 })),
    animal: rarely(fc.record({ rfid: fc.constant('050000000000001') }, { requiredKeys: [] })),
    session: rarely(
      fc.record({ id: fc.string({ minLength: 1 }), event: fc.constantFrom('start', 'record') }),
    ),
    stall: rarely(fc.string()),
    battery: rarely(fc.double({ noNaN: true, min: 0, max: 100 })),
    rssi: rarely(fc.double({ noNaN: true, noDefaultInfinity: true })),
  },
  { requiredKeys: ['v', 'at', 'points'] },
);
const extraKey = rarely(fc.constant('')).map((key) => (key === '' ? '' : '"__proto__":1,'));
// As JSON gives it: no NaN, no undefined, __proto__ a key like any other.
const envelope = fc
  .tuple(fields, extraKey)
  .map(([payload, extra]) => JSON.parse(`{${extra}${JSON.stringify(payload).slice(1)}`) as object);

test('what it takes, the schema takes as it is', () => {
  let taken = 0;
  fc.assert(
    fc.property(envelope, (payload) => {
      if (!isUsualEnvelope(payload)) return;
      taken += 1;
      const parsed = envelopeSchema.safeParse(payload);
      assert.ok(parsed.success, inspect(payload));
      assert.deepEqual(parsed.data, payload);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(taken > 200, `only ${taken} of the random envelopes are valid`);
});

test('what it refuses, the schema refuses too', () => {
  fc.assert(
    fc.property(envelope, (payload) => {
      if (!isUsualEnvelope(payload)) assert.ok(!envelopeSchema.safeParse(payload).success, inspect(payload));
    }),
    { numRuns: 5_000 },
  );
});

describe('exact limits', () => {
  const at = '2026-11-20T05:42:10.123Z';
  const good = { m: 'temperature', v: 4 };
  const points = (count: number) => Array.from({ length: count }, () => good);
  for (const [payload, expected] of [
    [{ v: 1, at, points: [] }, true],
    [{ v: 1, at, points: points(10_000) }, true],
    [{ v: 1, at, points: points(10_001) }, false],
    [{ v: 2, at, points: [good] }, false],
    [{ at, points: [good] }, false],
    [{ v: 1, points: [good] }, false],
    [{ v: 1, at }, false],
    [{ v: 1, at, points: [good], toString: 1 }, false],
    [{ v: 1, at, points: [{ ...good, m: 'm'.repeat(64), q: 32_767 }] }, true],
    [{ v: 1, at, points: [{ ...good, m: 'm'.repeat(65) }] }, false],
    [{ v: 1, at, points: [{ ...good, q: 32_768 }] }, false],
    [{ v: 1, at, points: [{ ...good, q: 0.5 }] }, false],
    [{ v: 1, at, points: [{ ...good, v: Infinity }] }, false],
    [[], false],
  ] as const) {
    test(inspect(payload).slice(0, 90), () => {
      assert.equal(isUsualEnvelope(payload), expected);
      assert.equal(envelopeSchema.safeParse(payload).success, expected);
    });
  }
});
