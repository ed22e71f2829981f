// A milking as iot.milk.session takes it.
import {
  isMarked,
  milkSessionRecordSchema,
  type MilkingMark,
  type MilkSessionRecord,
} from '../../../contract/records.ts';
import { recordKind } from './kind.ts';
import { toOdooDatetime } from './values.ts';

/** Keys are field names of iot.milk.session; farm, device_uid, rfid_tag and animal_ref are natural keys that Odoo resolves. */
function milkSessionToOdoo(record: MilkSessionRecord) {
  // Null is not part of a record's fingerprint: those without marks keep the one that Odoo has of them.
  const marked = (mark: MilkingMark) => (isMarked(record, mark) ? true : null);
  return {
    farm: record.farm,
    device_uid: record.device_uid,
    device_type: record.device_type,
    rfid_tag: record.rfid,
    animal_ref: record.animal_ref,
    stall: record.stall,
    start_datetime: toOdooDatetime(record.started_at),
    end_datetime: toOdooDatetime(record.ended_at),
    duration_seconds: record.duration_s,
    yield_kg: record.yield_kg,
    average_flow: record.average_flow_kg_min,
    peak_flow: record.peak_flow_kg_min,
    conductivity: record.conductivity_ms_cm,
    milk_temperature: record.milk_temperature_c,
    fat_percentage: record.fat_pct,
    protein_percentage: record.protein_pct,
    lactose_percentage: record.lactose_pct,
    // An integer field in Odoo; meters send means with a fraction.
    somatic_cell_count: record.scc_per_ml === null ? null : Math.round(record.scc_per_ml),
    blood: record.blood_pct,
    vacuum_pressure: record.vacuum_kpa,
    pulsation_rate: record.pulsation_per_min,
    quality_grade: record.grade,
    expected_yield_kg: record.expected_yield_kg,
    is_abnormal: record.abnormal,
    abnormal_percent: record.abnormal_pct,
    expected_days: record.expected_days,
    expected_least: record.expected_least_milkings,
    milking_of_day: record.milking,
    is_complete: record.complete,
    has_clock_doubt: marked('clock'),
    has_conflict: marked('conflict'),
    is_void: marked('void'),
  };
}

export const milkSession = recordKind({
  kind: 'milk_session',
  schema: milkSessionRecordSchema,
  model: 'iot.milk.session',
  toOdoo: milkSessionToOdoo,
  callsAtOnce: 2,
  compare: { by: 'day', at: 'start_datetime', sum: { key: 'yield_kg', field: 'yield_kg' }, void: 'is_void' },
  live: 'milking',
});
