// Contract records in Odoo's words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentHash } from '../../../../connector/odoo/mapping/content.ts';
import { mappings, toOdooRecord } from '../../../../connector/odoo/mapping/index.ts';
import { toOdooDatetime } from '../../../../connector/odoo/mapping/values.ts';
import { alert, device, milkSession } from '../../outbox/records.ts';

const row = (payload: unknown) => ({ sourceId: 'farm1/meter_001/1', revision: 3, payload });

test('a milking', () => {
  const record = toOdooRecord(mappings.milk_session, row(milkSession({ scc_per_ml: 180_000.4 })));
  assert.match(String(record['content_hash']), /^[\w-]{22}$/);
  delete record['content_hash'];
  assert.deepEqual(record, {
    source: 'smart_dairy',
    source_id: 'farm1/meter_001/1',
    revision: 3,
    farm: 'farm1',
    device_uid: 'meter_001',
    device_type: 'milk_meter',
    rfid_tag: '982000123456789',
    animal_ref: null,
    stall: '3',
    start_datetime: '2026-03-01 06:00:00',
    end_datetime: '2026-03-01 06:07:30',
    duration_seconds: 450,
    yield_kg: 12.5,
    average_flow: 1.67,
    peak_flow: 3.1,
    conductivity: 5.1,
    milk_temperature: 38.2,
    fat_percentage: 4.1,
    protein_percentage: 3.4,
    lactose_percentage: 4.7,
    somatic_cell_count: 180_000,
    blood: 0,
    vacuum_pressure: 42,
    pulsation_rate: 60,
    quality_grade: 'A',
    expected_yield_kg: null,
    abnormal_percent: 30,
    expected_days: 30,
    expected_least: 3,
    is_abnormal: false,
    milking_of_day: 'morning',
    is_complete: true,
    has_clock_doubt: null,
    has_conflict: null,
    is_void: null,
  });
});

test('the marks of a milking are fields of Odoo, and part of what is compared', () => {
  const marked = (marks?: string) =>
    toOdooRecord(mappings.milk_session, row(milkSession(marks === undefined ? {} : { marks })));
  const fields = ['has_clock_doubt', 'has_conflict', 'is_void'];
  for (const [marks, expected] of [
    ['clock', [true, null, null]],
    ['conflict', [null, true, null]],
    ['clock conflict', [true, true, null]],
    ['void', [null, null, true]],
  ] as const) {
    const record = marked(marks);
    assert.deepEqual(
      fields.map((field) => record[field]),
      expected,
      marks,
    );
    assert.notEqual(record['content_hash'], marked()['content_hash'], marks);
  }
});

test('a record without marks has the fingerprint that Odoo has of it from versions that did not send them', () => {
  const record = mappings.milk_session.toOdoo(milkSession());
  const former = Object.fromEntries(Object.entries(record).filter(([key]) => !/^(has_|is_void)/.test(key)));
  assert.equal(contentHash(record), contentHash(former));
});

test('a device and an alert keep their names, moments become UTC strings', () => {
  const mapped = toOdooRecord(mappings.device, row(device({ last_seen: '2026-03-01T06:00:00.999Z' })));
  assert.equal(mapped['last_seen'], '2026-03-01 06:00:00');
  assert.equal(mapped['state'], 'discovered');
  assert.equal(mapped['device_uid'], 'meter_001');
  const raised = toOdooRecord(mappings.alert, row(alert()));
  assert.equal(raised['raised_at'], '2026-03-01 06:08:00');
  assert.equal(raised['cleared_at'], null);
  assert.equal(raised['rfid_tag'], '982000123456789');
});

test('a payload that is not what its kind says is refused with the place', () => {
  assert.throws(() => mappings.milk_session.toOdoo({ ...milkSession(), yield_kg: 'much' }), /yield_kg/);
  assert.throws(() => mappings.device.toOdoo(null), { kind: 'invalid' });
});

test('no moment stays no moment', () => {
  assert.equal(toOdooDatetime(null), null);
  assert.equal(toOdooDatetime('2026-12-31T23:59:59Z'), '2026-12-31 23:59:59');
});
