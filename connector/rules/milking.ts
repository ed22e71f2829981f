// Alerts that one milking record calls for.
import type { AlertRecord, MilkSessionRecord } from '../../contract/records.ts';
import { breachOf, type Limits } from './limits.ts';

type MilkAlert = Pick<
  AlertRecord,
  'alert_type' | 'severity' | 'message' | 'trigger_value' | 'threshold_value' | 'unit'
> & { parameters?: Readonly<Record<string, string>> };

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

/** Names of the limits that something is held against. */
export const limitedMetrics: readonly string[] = [
  ...measured.map(({ metric }) => metric),
  'milk_yield_deviation',
];

/** The alerts of a milking, at most one of each type. More than `mostYieldKg` cannot be. */
export function milkAlerts(record: MilkSessionRecord, limits: Limits, mostYieldKg: number): MilkAlert[] {
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
  if (record.yield_kg > mostYieldKg) alerts.push(impossibleYield(record.yield_kg, mostYieldKg));
  else if (record.abnormal && record.complete && record.expected_yield_kg !== null)
    alerts.push(abnormalYield(record.yield_kg, record.expected_yield_kg, limits));
  return alerts;
}

const impossibleYield = (yieldKg: number, mostYieldKg: number): MilkAlert => ({
  alert_type: 'impossible_yield',
  severity: 'high',
  message: `Yield ${yieldKg} kg cannot be: an animal gives at most ${mostYieldKg} kg in one milking. Look at the meter`,
  trigger_value: yieldKg,
  threshold_value: mostYieldKg,
  unit: 'kg',
});

/** The limit is a distance from what was expected; the alert shows where it lay in this milking. */
function abnormalYield(yieldKg: number, expectedKg: number, limits: Limits): MilkAlert {
  const deviationPct = (Math.abs(yieldKg - expectedKg) / expectedKg) * 100;
  const breach = breachOf(deviationPct, limits.get('milk_yield_deviation'));
  const share = (breach?.bound ?? 0) / 100;
  const bound = Math.round(expectedKg * (yieldKg > expectedKg ? 1 + share : 1 - share) * 1000) / 1000;
  return {
    alert_type: 'abnormal_yield',
    severity: breach?.severity ?? 'low',
    message: `Yield ${yieldKg} kg; ${expectedKg} kg were expected`,
    trigger_value: yieldKg,
    threshold_value: bound,
    unit: 'kg',
    parameters: { expected: String(expectedKg) },
  };
}

/** Share of the expected yield beyond which a milking is abnormal: the smallest upper limit of `milk_yield_deviation`. */
export function abnormalShare(limits: Limits): number {
  const highs = (limits.get('milk_yield_deviation') ?? []).flatMap(({ high }) => high ?? []);
  return Math.min(...highs) / 100;
}
