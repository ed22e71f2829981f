// A milking into the curated record that goes to Odoo: totals, averages, grade, part of the day, deviation from the animal's mean.
import type { MilkingMark, MilkSessionRecord } from '../../contract/records.ts';
import type { DeviceType } from '../../contract/topics.ts';
import { mean, yieldOf } from './stats.ts';
import type { View } from './view.ts';

/** The farm's rules for milkings, from config/connector.yaml. */
export interface MilkingRules {
  /** IANA zone in which the farm's day runs. */
  timezone: string;
  /** First hours of midday and evening; before them is morning. */
  middayHour: number;
  eveningHour: number;
  /** Above this many somatic cells per mL the milk is rejected. */
  sccReject: number;
  /** Best grade first; a milking gets the first whose fat and protein it reaches, else `reject`. */
  grades: readonly { grade: 'A' | 'B' | 'C'; fat: number; protein: number }[];
  /** Share of the expected yield beyond which a milking is abnormal. */
  abnormalShare: number;
  /** More than any animal gives in one milking: the top of the catalogue's range of milk_yield. */
  mostYieldKg: number;
  /** The expected yield is the mean of so many days, of so many milkings at least. */
  meanDays: number;
  meanLeastMilkings: number;
}

/** Where the milking was. */
export interface MilkingPlace {
  farm: string;
  deviceUid: string;
  deviceType: DeviceType;
  /** Stall of the device, where the messages named none. */
  stall: string | null;
}

/** Builds the record of a milking. `expectedYieldKg` is the animal's mean, or null without enough history. */
export function toRecord(
  milking: View,
  place: MilkingPlace,
  expectedYieldKg: number | null,
  rules: MilkingRules,
): MilkSessionRecord {
  const { stats } = milking;
  const endedAt = milking.endedAt ?? milking.lastAt;
  const { startedAt } = milking;
  const durationS = Math.max(0, Math.round((endedAt - startedAt) / 1000));
  const yieldKg = yieldOf(stats);
  const overDuration = durationS > 0 && yieldKg > 0 ? yieldKg / (durationS / 60) : undefined;
  // A meter that times its milking knows better than the mean of the flows that we happened to see.
  const measuredFlow =
    stats['milking_duration'] === undefined ? (mean(stats['milk_flow']) ?? overDuration) : overDuration;
  const averageFlow = stats['milk_flow_average']?.last ?? measuredFlow;
  const last = (metric: string) => round(stats[metric]?.last);
  const scc = stats['milk_scc']?.last;
  return {
    farm: place.farm,
    device_uid: place.deviceUid,
    device_type: place.deviceType,
    rfid: milking.rfid,
    animal_ref: milking.animalRef,
    stall: milking.stall ?? place.stall,
    started_at: new Date(startedAt).toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    duration_s: durationS,
    yield_kg: round(yieldKg) ?? 0,
    average_flow_kg_min: round(averageFlow),
    peak_flow_kg_min: round(stats['milk_flow_peak']?.max ?? stats['milk_flow']?.max),
    conductivity_ms_cm: round(mean(stats['milk_conductivity'])),
    milk_temperature_c: round(mean(stats['milk_temperature'])),
    fat_pct: last('milk_fat'),
    protein_pct: last('milk_protein'),
    lactose_pct: last('milk_lactose'),
    scc_per_ml: scc === undefined ? null : Math.round(scc) + 0,
    blood_pct: last('milk_blood'),
    vacuum_kpa: last('vacuum_pressure'),
    pulsation_per_min: last('pulsation_rate'),
    grade: gradeOf(stats['milk_fat']?.last, stats['milk_protein']?.last, scc, rules),
    expected_yield_kg: round(expectedYieldKg ?? undefined),
    abnormal:
      yieldKg > rules.mostYieldKg ||
      (expectedYieldKg !== null &&
        Math.abs(yieldKg - expectedYieldKg) - rules.abnormalShare * expectedYieldKg > leastExcessKg),
    abnormal_pct: Number.isFinite(rules.abnormalShare) ? round(rules.abnormalShare * 100) : null,
    expected_days: rules.meanDays,
    expected_least_milkings: rules.meanLeastMilkings,
    milking: milkingOfDay(startedAt, rules),
    complete: milking.complete,
    ...(milking.marks.length > 0 ? { marks: milking.marks.join(' ') } : {}),
  };
}

/** What is left of a milking whose messages turned out to be of others: who read its record must learn that. */
export function toVoid(record: MilkSessionRecord): MilkSessionRecord {
  return {
    ...record,
    yield_kg: 0,
    average_flow_kg_min: null,
    peak_flow_kg_min: null,
    conductivity_ms_cm: null,
    milk_temperature_c: null,
    fat_pct: null,
    protein_pct: null,
    lactose_pct: null,
    scc_per_ml: null,
    blood_pct: null,
    vacuum_kpa: null,
    pulsation_per_min: null,
    grade: null,
    expected_yield_kg: null,
    abnormal: false,
    complete: false,
    marks: 'void' satisfies MilkingMark,
  };
}

/** Grade by fat, protein (%) and somatic cells (per mL); null when fat or protein was not measured. */
export function gradeOf(
  fat: number | undefined,
  protein: number | undefined,
  scc: number | undefined,
  rules: Pick<MilkingRules, 'sccReject' | 'grades'>,
): MilkSessionRecord['grade'] {
  if (scc !== undefined && scc > rules.sccReject) return 'reject';
  if (fat === undefined || protein === undefined) return null;
  return rules.grades.find((grade) => fat >= grade.fat && protein >= grade.protein)?.grade ?? 'reject';
}

/** Morning, midday or evening at the farm's own clock. */
export function milkingOfDay(at: number, rules: MilkingRules): MilkSessionRecord['milking'] {
  const hour = Number(hourIn(rules.timezone).format(at)) % 24;
  if (hour >= rules.eveningHour) return 'evening';
  return hour >= rules.middayHour ? 'midday' : 'morning';
}

const formats = new Map<string, Intl.DateTimeFormat>();
function hourIn(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' });
    formats.set(timeZone, format);
  }
  return format;
}

/** Exactly the share is not beyond it, whatever floating point makes of that. */
const leastExcessKg = 1e-6;

/** Three decimals: a gram, a hundredth of any other unit here; keeps revisions free of floating-point noise. `+ 0` makes -0 to 0, as JSON does. */
const round = (value: number | undefined) =>
  value === undefined ? null : Math.round(value * 1000) / 1000 + 0;
