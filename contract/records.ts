// The curated records that go to Odoo, one schema per record kind. They are outbox payloads: snake_case, ISO times, canonical units.
import * as z from 'zod';
import { commandStates } from './commands.ts';
import { deviceTypeSchema } from './topics.ts';

/** `source` of everything this product writes into Odoo. */
export const recordSource = 'smart_dairy';

const number = z.number().nullable();
const moment = z.iso.datetime();

/** A milking visit. Names beside ICAR ADE: yield = milkingMilkWeight, stall = milkingParlourUnit, average_flow = AVGFLWR. */
export const milkSessionRecordSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string(),
  device_type: deviceTypeSchema,
  rfid: z.string().nullable(),
  animal_ref: z.string().nullable(),
  stall: z.string().nullable(),
  started_at: moment,
  ended_at: moment,
  duration_s: z.int(),
  yield_kg: z.number(),
  average_flow_kg_min: number,
  peak_flow_kg_min: number,
  conductivity_ms_cm: number,
  milk_temperature_c: number,
  fat_pct: number,
  protein_pct: number,
  lactose_pct: number,
  scc_per_ml: number,
  blood_pct: number,
  vacuum_kpa: number,
  pulsation_per_min: number,
  grade: z.enum(['A', 'B', 'C', 'reject']).nullable(),
  /** Mean yield of the animal's milkings of the last 30 days, this one excluded; null without enough history. */
  expected_yield_kg: number,
  abnormal: z.boolean(),
  /** The rule by which it was judged: a correction of the animal in Odoo is judged by the same one. Records of former versions lack it. */
  abnormal_pct: number.default(null),
  expected_days: z.int().nullable().default(null),
  expected_least_milkings: z.int().nullable().default(null),
  milking: z.enum(['morning', 'midday', 'evening']),
  complete: z.boolean(),
  /** MilkingMarks between blanks; absent where there is nothing to say. */
  marks: z.exactOptional(z.string()),
});
export type MilkSessionRecord = z.infer<typeof milkSessionRecordSchema>;

/**
 * Why a milking's record is to be read with care. clock: the device's clock was not synchronised; conflict: it said different
 * things and nothing told which was newer; void: it is none, its messages turned out to be of other milkings.
 */
export type MilkingMark = 'clock' | 'conflict' | 'void';

/** Whether a milking's record has a mark. */
export const isMarked = ({ marks = '' }: Pick<MilkSessionRecord, 'marks'>, mark: MilkingMark): boolean =>
  marks.split(' ').includes(mark);

/** A device as first seen or changed on the wire. */
export const deviceRecordSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string(),
  device_type: deviceTypeSchema,
  name: z.string(),
  profile: z.string().nullable(),
  manufacturer: z.string().nullable(),
  model: z.string().nullable(),
  stall: z.string().nullable(),
  state: z.enum(['discovered', 'registered']),
  first_seen: moment.nullable(),
  last_seen: moment.nullable(),
});
export type DeviceRecord = z.infer<typeof deviceRecordSchema>;

/** An alert; `milk_session` is the source_id of the milking it is about. */
export const alertRecordSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string().nullable(),
  rfid: z.string().nullable(),
  milk_session: z.string().nullable(),
  alert_type: z.string(),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  state: z.enum(['new', 'acknowledged', 'resolved']),
  message: z.string(),
  trigger_value: number,
  threshold_value: number,
  unit: z.string().nullable(),
  raised_at: moment,
  cleared_at: moment.nullable(),
  /**
   * What the text takes beside type and values: a JSON object of texts; absent where it takes nothing. Whoever shows the alert makes
   * its text in the reader's language; `message` is the English one.
   */
  parameters: z.exactOptional(z.string()),
});
export type AlertRecord = z.infer<typeof alertRecordSchema>;

/** A command that Odoo asked for, and how far it came; its source_id is Odoo's request id. Values are text. */
export const commandRecordSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string(),
  command: z.string(),
  value: z.string().nullable(),
  state: z.enum(commandStates),
  detail: z.string().nullable(),
  result_value: z.string().nullable(),
  requested_at: moment,
  expires_at: moment,
  finished_at: moment.nullable(),
});
export type CommandRecord = z.infer<typeof commandRecordSchema>;
