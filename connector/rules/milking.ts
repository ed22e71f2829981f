// Alerts that one milking record calls for.
import type { AlertRecord, MilkSessionRecord } from '../../contract/records.ts';
import { breachOf, type Limits } from './limits.ts';

type MilkAlert = Pick<
  AlertRecord,
  'alert_type' | 'severity' | 'message' | 'trigger_value' | 'threshold_value' | 'unit'
>;

interface Measured {
  /** Name of its limits. */
  metric: string;
  alertType: string;
  name: string;
  unit: string;
  /** Behind a value, in messages. */
  suffix: string;
  value: (record: MilkSessionRecord) => number | null;
}

/** What is held against limits. A line here is all that another value takes. */
const measured: readonly Measured[] = [
  {
    metric: 'milk_scc',
    alertType: 'high_scc',
    name: 'Somatic cell count',
    unit: 'cells/mL',
    suffix: '/mL',
    value: (record) => record.scc_per_ml,
  },
  {
    metric: 'milk_conductivity',
    alertType: 'abnormal_conductivity',
    name: 'Milk conductivity',
    unit: 'mS/cm',
    suffix: ' mS/cm',
    value: (record) => record.conductivity_ms_cm,
  },
  {
    metric: 'milk_temperature',
    alertType: 'abnormal_milk_temperature',
    name: 'Milk temperature',
    unit: '°C',
    suffix: ' °C',
    value: (record) => record.milk_temperature_c,
  },
  {
    metric: 'milk_blood',
    alertType: 'blood_in_milk',
    name: 'Blood in milk',
    unit: '%',
    suffix: ' %',
    value: (record) => record.blood_pct,
  },
  {
    metric: 'milk_yield',
    alertType: 'yield_limit',
    name: 'Yield',
    unit: 'kg',
    suffix: ' kg',
    value: (record) => (record.complete ? record.yield_kg : null),
  },
];

/** The alerts of a milking, at most one of each type. */
export function milkAlerts(record: MilkSessionRecord, limits: Limits): MilkAlert[] {
  const alerts: MilkAlert[] = [];
  for (const { metric, alertType, name, unit, suffix, value: read } of measured) {
    const value = read(record);
    const breach = value === null ? undefined : breachOf(value, limits.get(metric));
    if (value === null || breach === undefined) continue;
    alerts.push({
      alert_type: alertType,
      severity: breach.severity,
      message: `${name} ${value}${suffix} is ${breach.isAbove ? 'above' : 'below'} ${breach.bound}${suffix}`,
      trigger_value: value,
      threshold_value: breach.bound,
      unit,
    });
  }
  const { expected_yield_kg: expected, yield_kg: yieldKg } = record;
  if (record.abnormal && record.complete && expected !== null) {
    const deviationPct = (Math.abs(yieldKg - expected) / expected) * 100;
    alerts.push({
      alert_type: 'abnormal_yield',
      severity: breachOf(deviationPct, limits.get('milk_yield_deviation'))?.severity ?? 'low',
      message: `Yield ${yieldKg} kg; ${expected} kg were expected`,
      trigger_value: yieldKg,
      threshold_value: expected,
      unit: 'kg',
    });
  }
  return alerts;
}

/** Share of the expected yield beyond which a milking is abnormal: the smallest upper limit of `milk_yield_deviation`. */
export function abnormalShare(limits: Limits): number {
  const highs = (limits.get('milk_yield_deviation') ?? []).flatMap(({ high }) => high ?? []);
  return Math.min(...highs) / 100;
}
