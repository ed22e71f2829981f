// A row of the REST API: one value of one device. Its schema, and a fast check that agrees with it.
import * as z from 'zod';

const text = z.string().max(64);

/** A row as the customer's documents name its fields; the short names mean the same. Other fields are not stored. */
export const rowSchema = z.object({
  device_uid: text,
  farm: z.union([text, z.int()]).optional().describe('Code of the farm, as in topics'),
  farm_id: z.union([text, z.int()]).optional().describe('Former name of farm').meta({ deprecated: true }),
  device_type: text.optional().describe('Needed for a device that is not known yet'),
  metric_name: text.optional().describe('A name of the metric catalogue'),
  metric: text.optional().describe('Short for metric_name'),
  metric_value: z.number().optional(),
  value: z.number().optional().describe('Short for metric_value'),
  metric_unit: text.nullish().describe('UCUM; without it the unit of the catalogue'),
  unit: text.nullish().describe('Short for metric_unit'),
  timestamp: z
    .union([z.string().max(40), z.number()])
    .nullish()
    .describe(
      'ISO 8601 or epoch seconds or milliseconds; without an offset the local time of the device, else of its farm (milk.timezone), and rejected where neither has a zone; without it the moment of arrival',
    ),
  battery_level: z.number().nullish().describe('%'),
  signal_strength: z.number().nullish().describe('dBm'),
});
export type Row = z.infer<typeof rowSchema>;

/** True for what the schema takes, told in a fraction of its time. On false ask the schema: it knows the reason. */
export function isUsualRow(raw: unknown): raw is Row {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return false;
  const row: Partial<Record<keyof Row, unknown>> = raw;
  return (
    isText(row.device_uid) &&
    isFarm(row.farm) &&
    isFarm(row.farm_id) &&
    isOptionalText(row.device_type) &&
    isOptionalText(row.metric_name) &&
    isOptionalText(row.metric) &&
    isOptionalNumber(row.metric_value) &&
    isOptionalNumber(row.value) &&
    (row.metric_unit === null || isOptionalText(row.metric_unit)) &&
    (row.unit === null || isOptionalText(row.unit)) &&
    isMoment(row.timestamp) &&
    (row.battery_level === null || isOptionalNumber(row.battery_level)) &&
    (row.signal_strength === null || isOptionalNumber(row.signal_strength))
  );
}

const isText = (value: unknown) => typeof value === 'string' && value.length <= 64;
const isOptionalText = (value: unknown) => value === undefined || isText(value);
const isFarm = (value: unknown) => isOptionalText(value) || Number.isSafeInteger(value);
const isOptionalNumber = (value: unknown) => value === undefined || Number.isFinite(value);
const isMoment = (value: unknown) =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' ? value.length <= 40 : Number.isFinite(value));
