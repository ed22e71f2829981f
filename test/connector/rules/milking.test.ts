// Which alerts a milking calls for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { abnormalShare, milkAlerts } from '../../../connector/rules/milking.ts';
import { toRecord } from '../../../connector/milkings/record.ts';
import { createLimitBook, type Limit, type Limits, type OwnLimit } from '../../../connector/rules/limits.ts';
import type { MilkSessionRecord } from '../../../contract/records.ts';
import { event, milkingsOf, place, rules, t0 } from '../milkings/event.ts';

const above = (high: number, severity: Limit['severity'] = 'medium'): Limit => ({
  low: null,
  high,
  severity,
});
const limits: Limits = new Map([
  ['milk_scc', [above(400_000), above(750_000, 'high')]],
  ['milk_conductivity', [above(6.5)]],
  ['milk_yield_deviation', [above(30, 'low')]],
]);
const [milking] = milkingsOf([event('record', t0, { milk_yield: 10 })]);

function alerts(changes: Partial<MilkSessionRecord>) {
  assert.ok(milking);
  return milkAlerts({ ...toRecord(milking, place, null, rules), ...changes }, limits, rules.mostYieldKg);
}

describe('limits', () => {
  for (const [name, changes, expected] of [
    ['nothing measured', {}, []],
    ['cells at the limit', { scc_per_ml: 400_000 }, []],
    ['cells above it', { scc_per_ml: 400_001 }, ['high_scc medium']],
    ['cells at the second limit', { scc_per_ml: 750_000 }, ['high_scc medium']],
    ['cells above the second limit', { scc_per_ml: 750_001 }, ['high_scc high']],
    ['conductivity at the limit', { conductivity_ms_cm: 6.5 }, []],
    ['conductivity above it', { conductivity_ms_cm: 6.501 }, ['abnormal_conductivity medium']],
    ['an abnormal yield', { abnormal: true, expected_yield_kg: 20 }, ['abnormal_yield low']],
    ['an abnormal yield of half a milking', { abnormal: true, expected_yield_kg: 20, complete: false }, []],
    ['a normal yield', { abnormal: false, expected_yield_kg: 10 }, []],
    ['as much as an animal can give', { yield_kg: 100 }, []],
    ['more than that', { yield_kg: 100.1, abnormal: true, expected_yield_kg: 20 }, ['impossible_yield high']],
    [
      'everything at once',
      { scc_per_ml: 900_000, conductivity_ms_cm: 8, abnormal: true, expected_yield_kg: 20 },
      ['high_scc high', 'abnormal_conductivity medium', 'abnormal_yield low'],
    ],
  ] as [string, Partial<MilkSessionRecord>, string[]][]) {
    test(name, () => {
      assert.deepEqual(
        alerts(changes).map(({ alert_type, severity }) => `${alert_type} ${severity}`),
        expected,
      );
    });
  }
});

describe('limits of the farm', () => {
  const own = (metric: string, limit: Partial<OwnLimit>): OwnLimit => ({
    farm: place.farm,
    deviceType: null,
    deviceUid: null,
    metric,
    low: null,
    high: null,
    severity: 'critical',
    ...limit,
  });
  const book = createLimitBook(limits);
  const high = (metric: string, at = place) =>
    book
      .of(at)
      .get(metric)
      ?.map((limit) => limit.high);

  test('the closest ones stand in place of the configuration, others stay', () => {
    book.replace([
      own('milk_scc', { high: 300_000 }),
      own('milk_scc', { high: 500_000, severity: 'high' }),
      own('milk_conductivity', { high: 6, deviceType: 'milk_meter' }),
      own('milk_conductivity', { high: 5 }),
      own('milk_conductivity', { high: 7, deviceUid: 'm2' }),
      own('milk_yield_deviation', { high: 20, farm: 'another' }),
    ]);
    assert.deepEqual(high('milk_scc'), [300_000, 500_000]);
    assert.deepEqual(high('milk_conductivity'), [6]);
    assert.deepEqual(high('milk_conductivity', { ...place, deviceUid: 'm2' }), [7]);
    assert.deepEqual(high('milk_yield_deviation'), [30]);
    assert.equal(abnormalShare(book.of({ ...place, farm: 'another' })), 0.2);
    assert.deepEqual(high('milk_scc', { ...place, farm: 'a third' }), [400_000, 750_000]);
    book.replace([]);
    assert.deepEqual(high('milk_scc'), [400_000, 750_000]);
  });

  test('the limit that is shown is the gravest that was broken, on its side', () => {
    assert.ok(milking);
    const record = { ...toRecord(milking, place, null, rules), milk_temperature_c: 30 };
    const both = new Map([
      [
        'milk_temperature',
        [
          own('', { low: 35, severity: 'low' }),
          own('', { low: 32, high: 41, severity: 'high' }),
          own('', { low: 20 }),
        ],
      ],
    ]);
    const shown = (changes: Partial<MilkSessionRecord>) =>
      milkAlerts({ ...record, ...changes }, both, rules.mostYieldKg).map(
        ({ threshold_value, severity, message }) => [threshold_value, severity, message],
      );
    assert.deepEqual(shown({}), [[32, 'high', 'Milk temperature 30 °C is below 32 °C']]);
    assert.deepEqual(shown({ milk_temperature_c: 34 }), [
      [35, 'low', 'Milk temperature 34 °C is below 35 °C'],
    ]);
    assert.deepEqual(shown({ milk_temperature_c: 42 }), [
      [41, 'high', 'Milk temperature 42 °C is above 41 °C'],
    ]);
  });

  test('the limit of an abnormal yield is in kg of this milking, by the gravest distance that it broke', () => {
    assert.ok(milking);
    const deviations = new Map([['milk_yield_deviation', [above(30, 'low'), above(50, 'high')]]]);
    const bounds = [14, 5, 4.9, 13.1, 16].map((yieldKg) =>
      milkAlerts(
        { ...toRecord(milking, place, 10, rules), yield_kg: yieldKg, abnormal: true },
        deviations,
        rules.mostYieldKg,
      ).map(({ threshold_value, severity }) => `${String(threshold_value)} ${severity}`),
    );
    assert.deepEqual(bounds, [['13 low'], ['7 low'], ['5 high'], ['13 low'], ['15 high']]);
  });

  test('lower limits, and values that have none by themselves', () => {
    assert.ok(milking);
    const record = { ...toRecord(milking, place, null, rules), blood_pct: 2, milk_temperature_c: 34 };
    assert.deepEqual(milkAlerts(record, limits, rules.mostYieldKg), []);
    const more = new Map([
      ['milk_yield', [own('', { low: 12 })]],
      ['milk_blood', [above(1, 'high')]],
      ['milk_temperature', [own('', { low: 35, high: 40, severity: 'low' })]],
    ]);
    assert.deepEqual(
      milkAlerts(record, more, rules.mostYieldKg).map(({ message, severity }) => `${message}, ${severity}`),
      [
        'Milk temperature 34 °C is below 35 °C, low',
        'Blood in milk 2 % is above 1 %, high',
        'Yield 10 kg is below 12 kg, critical',
      ],
    );
  });
});

test('an alert says what was measured, against what, in which unit', () => {
  assert.deepEqual(
    alerts({ scc_per_ml: 800_000, conductivity_ms_cm: 7, abnormal: true, expected_yield_kg: 20 }),
    [
      {
        alert_type: 'high_scc',
        severity: 'high',
        message: 'Somatic cell count 800000/mL is above 750000/mL',
        trigger_value: 800_000,
        threshold_value: 750_000,
        unit: 'cells/mL',
      },
      {
        alert_type: 'abnormal_conductivity',
        severity: 'medium',
        message: 'Milk conductivity 7 mS/cm is above 6.5 mS/cm',
        trigger_value: 7,
        threshold_value: 6.5,
        unit: 'mS/cm',
      },
      {
        alert_type: 'abnormal_yield',
        severity: 'low',
        message: 'Yield 10 kg; 20 kg were expected',
        trigger_value: 10,
        threshold_value: 14,
        unit: 'kg',
        parameters: { expected: '20' },
      },
    ],
  );
});
