// Alerts that one milking record calls for.
import type { AlertRecord, MilkSessionRecord } from '../../contract/records.ts';

/** Limits from config/connector.yaml. */
export interface MilkAlertRules {
  sccMedium: number;
  sccHigh: number;
  /** mS/cm */
  conductivity: number;
}

type MilkAlert = Pick<
  AlertRecord,
  'alert_type' | 'severity' | 'message' | 'trigger_value' | 'threshold_value' | 'unit'
>;

/** The alerts of a milking, at most one of each type. */
export function milkAlerts(record: MilkSessionRecord, rules: MilkAlertRules): MilkAlert[] {
  const alerts: MilkAlert[] = [];
  const { scc_per_ml: scc, conductivity_ms_cm: conductivity, expected_yield_kg: expected } = record;
  if (scc !== null && scc > rules.sccMedium) {
    alerts.push({
      alert_type: 'high_scc',
      severity: scc > rules.sccHigh ? 'high' : 'medium',
      message: `Somatic cell count ${scc}/mL is above ${rules.sccMedium}/mL`,
      trigger_value: scc,
      threshold_value: rules.sccMedium,
      unit: 'cells/mL',
    });
  }
  if (conductivity !== null && conductivity > rules.conductivity) {
    alerts.push({
      alert_type: 'abnormal_conductivity',
      severity: 'medium',
      message: `Milk conductivity ${conductivity} mS/cm is above ${rules.conductivity} mS/cm`,
      trigger_value: conductivity,
      threshold_value: rules.conductivity,
      unit: 'mS/cm',
    });
  }
  if (record.abnormal && record.complete && expected !== null) {
    alerts.push({
      alert_type: 'abnormal_yield',
      severity: 'low',
      message: `Yield ${record.yield_kg} kg; ${expected} kg were expected`,
      trigger_value: record.yield_kg,
      threshold_value: expected,
      unit: 'kg',
    });
  }
  return alerts;
}
