// Which alerts a milking calls for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { milkAlerts } from '../../../connector/sessions/alerts.ts';
import { toRecord } from '../../../connector/sessions/record.ts';
import type { MilkSessionRecord } from '../../../contract/records.ts';
import { event, milkingsOf, place, rules, t0 } from './event.ts';

const limits = { sccMedium: 400_000, sccHigh: 750_000, conductivity: 6.5 };
const [milking] = milkingsOf([event('record', t0, { milk_yield: 10 })]);

function alerts(changes: Partial<MilkSessionRecord>) {
  assert.ok(milking);
  return milkAlerts({ ...toRecord(milking, place, null, rules), ...changes }, limits);
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

test('an alert says what was measured, against what, in which unit', () => {
  assert.deepEqual(
    alerts({ scc_per_ml: 800_000, conductivity_ms_cm: 7, abnormal: true, expected_yield_kg: 20 }),
    [
      {
        alert_type: 'high_scc',
        severity: 'high',
        message: 'Somatic cell count 800000/mL is above 400000/mL',
        trigger_value: 800_000,
        threshold_value: 400_000,
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
        threshold_value: 20,
        unit: 'kg',
      },
    ],
  );
});
