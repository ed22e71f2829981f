// The curated record of a milking: grade, part of the day, deviation, flows, and rounding that makes no revisions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { gradeOf, milkingOfDay, toRecord } from '../../../connector/milkings/record.ts';
import { milkSessionRecordSchema } from '../../../contract/records.ts';
import { event, milkingsOf, minute, place, rules, t0 } from './event.ts';

function record(values: Record<string, number>, expectedKg: number | null = null) {
  const [milking] = milkingsOf([event('start', t0), event('end', t0 + 5 * minute, values)]);
  assert.ok(milking);
  return toRecord(milking, place, expectedKg, rules);
}

describe('grade', () => {
  for (const [fat, protein, scc, grade] of [
    [3.5, 3.0, 400_000, 'A'],
    [3.5, 3.0, undefined, 'A'],
    [3.5, 3.0, 400_001, 'reject'],
    [3.499, 3.0, 0, 'B'],
    [4.5, 2.999, 0, 'B'],
    [3.0, 2.8, 0, 'B'],
    [2.999, 4.0, 0, 'C'],
    [4.0, 2.799, 0, 'C'],
    [2.5, 2.5, 0, 'C'],
    [2.499, 4.0, 0, 'reject'],
    [4.0, 2.499, 0, 'reject'],
    [undefined, 3.0, 0, null],
    [3.5, undefined, 0, null],
    [undefined, undefined, 400_001, 'reject'],
    [undefined, undefined, undefined, null],
  ] as const) {
    test(`fat ${fat ?? '–'}, protein ${protein ?? '–'}, cells ${scc ?? '–'}: ${grade ?? 'none'}`, () => {
      assert.equal(gradeOf(fat, protein, scc, rules), grade);
      const values = { milk_yield: 1, milk_fat: fat, milk_protein: protein, milk_scc: scc };
      const measured = Object.entries(values).filter(
        (entry): entry is [string, number] => entry[1] !== undefined,
      );
      assert.equal(record(Object.fromEntries(measured)).grade, grade);
    });
  }

  test('more fat or protein and fewer cells never make it worse', () => {
    const order = ['reject', 'C', 'B', 'A'];
    const percent = fc.double({ min: 0, max: 10, noNaN: true });
    const cells = fc.nat(1_000_000);
    fc.assert(
      fc.property(percent, percent, cells, percent, percent, cells, (fat, protein, scc, f, p, c) => {
        const rank = (...milk: [number, number, number]) => order.indexOf(gradeOf(...milk, rules) ?? '');
        assert.ok(rank(fat + f, protein + p, Math.max(0, scc - c)) >= rank(fat, protein, scc));
      }),
    );
  });
});

describe('milking of the day, by the farm’s clock', () => {
  for (const [timezone, at, expected] of [
    ['Asia/Dhaka', '2026-11-20T04:59:59.999Z', 'morning'],
    ['Asia/Dhaka', '2026-11-20T05:00:00Z', 'midday'],
    ['Asia/Dhaka', '2026-11-20T08:59:59Z', 'midday'],
    ['Asia/Dhaka', '2026-11-20T09:00:00Z', 'evening'],
    ['Asia/Dhaka', '2026-11-20T17:59:59Z', 'evening'],
    ['Asia/Dhaka', '2026-11-20T18:00:00Z', 'morning'],
    ['UTC', '2026-11-20T00:00:00Z', 'morning'],
    ['UTC', '2026-11-20T23:59:59Z', 'evening'],
    // Clocks go forward on 29 March and back on 25 October.
    ['Europe/Berlin', '2026-03-28T09:59:00Z', 'morning'],
    ['Europe/Berlin', '2026-03-28T10:00:00Z', 'midday'],
    ['Europe/Berlin', '2026-03-29T09:00:00Z', 'midday'],
    ['Europe/Berlin', '2026-03-29T08:59:00Z', 'morning'],
    ['Europe/Berlin', '2026-10-25T09:59:00Z', 'morning'],
    ['Europe/Berlin', '2026-10-25T14:00:00Z', 'evening'],
    ['America/St_Johns', '2026-07-01T13:29:00Z', 'morning'],
    ['America/St_Johns', '2026-07-01T13:30:00Z', 'midday'],
  ] as const) {
    test(`${at} in ${timezone}`, () =>
      assert.equal(milkingOfDay(Date.parse(at), { ...rules, timezone }), expected));
  }

  test('the start counts, not the end', () => {
    const [milking] = milkingsOf([event('start', t0 - minute), event('end', t0 + minute)]);
    assert.ok(milking);
    assert.equal(toRecord(milking, place, null, rules).milking, 'morning');
  });
});

describe('abnormal', () => {
  test('more than 30 % off, either way; not without history', () => {
    for (const [yieldKg, expectedKg, abnormal] of [
      [7, 10, false],
      [13, 10, false],
      [6.999, 10, true],
      [13.001, 10, true],
      [10, 10, false],
      [0, 10, true],
      [50, null, false],
    ] as const) {
      assert.equal(
        record({ milk_yield: yieldKg }, expectedKg).abnormal,
        abnormal,
        `${yieldKg}/${expectedKg ?? ''}`,
      );
    }
  });

  test('exactly 30 % is not more than 30 %, for any mean that an animal can have; a gram beyond it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7_600 }), fc.constantFrom(-1, 1), (hundredths, side) => {
        const boundary = (hundredths * (10 + 3 * side)) / 1000;
        assert.equal(record({ milk_yield: boundary }, hundredths / 100).abnormal, false);
        assert.equal(record({ milk_yield: boundary + side * 0.001 }, hundredths / 100).abnormal, true);
      }),
    );
  });
});

describe('flows', () => {
  test('what the meter says, else the mean of its readings, else yield over time', () => {
    const flows = (values: Record<string, number>) => {
      const { average_flow_kg_min, peak_flow_kg_min } = record(values);
      return [average_flow_kg_min, peak_flow_kg_min];
    };
    assert.deepEqual(
      flows({ milk_yield: 10, milk_flow: 3, milk_flow_average: 2.2, milk_flow_peak: 4 }),
      [2.2, 4],
    );
    assert.deepEqual(flows({ milk_yield: 10, milk_flow: 3 }), [3, 3]);
    assert.deepEqual(flows({ milk_yield: 10 }), [2, null]);
    assert.deepEqual(flows({}), [null, null]);
    const readings = [1, 2, 6].map((milk_flow, index) => event('reading', t0 + index, { milk_flow }));
    const [milking] = milkingsOf(readings);
    assert.ok(milking);
    const averaged = toRecord(milking, place, null, rules);
    assert.deepEqual([averaged.average_flow_kg_min, averaged.peak_flow_kg_min], [3, 6]);
  });
});

test('a milking of one moment has no duration and no flow', () => {
  const [milking] = milkingsOf([event('record', t0, { milk_yield: 8 })]);
  assert.ok(milking);
  const made = toRecord(milking, { ...place, stall: '7' }, 9.12345, rules);
  assert.deepEqual(
    [made.duration_s, made.average_flow_kg_min, made.stall, made.expected_yield_kg],
    [0, null, '7', 9.123],
  );
});

test('any measured milking makes a valid record that JSON leaves as it is', () => {
  const metrics = [
    'milk_yield',
    'milk_yield_increment',
    'milk_flow',
    'milk_temperature',
    'milk_scc',
    'milk_conductivity',
  ];
  const values = fc.dictionary(
    fc.constantFrom(...metrics),
    fc.oneof(fc.double({ min: -50, max: 100, noNaN: true }), fc.constantFrom(-0, -0.0001, 0.0005)),
  );
  fc.assert(
    fc.property(values, fc.option(fc.double({ min: 0.1, max: 50, noNaN: true })), (measured, expected) => {
      const made = record(measured, expected);
      milkSessionRecordSchema.parse(made);
      // Otherwise the stored record would differ from the same one made again: a revision without a change.
      assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
    }),
  );
});
