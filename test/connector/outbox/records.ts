// Complete records of every kind for tests, with what a test wants to be different.
import type { AlertRecord, DeviceRecord, MilkSessionRecord } from '../../../contract/records.ts';

export function milkSession(changes: Partial<MilkSessionRecord> = {}): MilkSessionRecord {
  return {
    farm: 'farm1',
    device_uid: 'meter_001',
    device_type: 'milk_meter',
    rfid: '982000123456789',
    animal_ref: null,
    stall: '3',
    started_at: '2026-03-01T06:00:00Z',
    ended_at: '2026-03-01T06:07:30.5Z',
    duration_s: 450,
    yield_kg: 12.5,
    average_flow_kg_min: 1.67,
    peak_flow_kg_min: 3.1,
    conductivity_ms_cm: 5.1,
    milk_temperature_c: 38.2,
    fat_pct: 4.1,
    protein_pct: 3.4,
    lactose_pct: 4.7,
    scc_per_ml: 180_000,
    blood_pct: 0,
    vacuum_kpa: 42,
    pulsation_per_min: 60,
    grade: 'A',
    expected_yield_kg: null,
    abnormal_pct: 30,
    expected_days: 30,
    expected_least_milkings: 3,
    abnormal: false,
    milking: 'morning',
    complete: true,
    ...changes,
  };
}

export function device(changes: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    farm: 'farm1',
    device_uid: 'meter_001',
    device_type: 'milk_meter',
    name: 'Milk meter 1',
    profile: 'milk-meter-json',
    manufacturer: null,
    model: null,
    stall: '3',
    state: 'discovered',
    first_seen: '2026-03-01T05:59:00Z',
    last_seen: '2026-03-01T06:00:00Z',
    ...changes,
  };
}

export function alert(changes: Partial<AlertRecord> = {}): AlertRecord {
  return {
    farm: 'farm1',
    device_uid: 'meter_001',
    rfid: '982000123456789',
    milk_session: 'farm1/meter_001/1',
    alert_type: 'high_scc',
    severity: 'high',
    state: 'new',
    message: 'Somatic cell count 450,000 above 400,000',
    trigger_value: 450_000,
    threshold_value: 400_000,
    unit: 'cells/mL',
    raised_at: '2026-03-01T06:08:00Z',
    cleared_at: null,
    ...changes,
  };
}
