// The `payload:` section of a device profile: how a foreign JSON payload maps to catalogue metrics.
import * as z from 'zod';
import { unitSchema, type MetricCatalogue } from '../metrics.ts';
import { pointerSchema } from '../pointer.ts';
import { zoneSchema } from '../zone.ts';
import { pointProblems, type Problem } from './problem.ts';

const payloadPointSchema = z.strictObject({
  pointer: pointerSchema,
  metric: z.string(),
  /** Unit in the payload; converted to the catalogue's. */
  unit: unitSchema,
  scale: z.number().default(1),
  offset: z.number().default(0),
  required: z.boolean().default(false),
  /** What this model can measure, in the catalogue's unit, where narrower than the catalogue's range; values outside are marked. */
  min: z.number().optional(),
  max: z.number().optional(),
});

/** How a foreign JSON payload maps to an envelope. */
export const payloadSchema = z.strictObject({
  /** A device without an assigned profile gets the first one of its type whose pointers all exist and values fit. */
  match: z
    .array(z.union([pointerSchema, z.strictObject({ pointer: pointerSchema, equals: z.array(z.string()) })]))
    .min(1),
  /** Where the time is (ISO 8601 or epoch s/ms); without it, or where it is absent and not required, the time of arrival counts. */
  at: z.strictObject({ pointer: pointerSchema, required: z.boolean().default(true) }),
  /** IANA time zone of times without an offset, where this model has a fixed one; without it the device's counts, else the farm's. */
  zone: zoneSchema.optional(),
  /** The sender's own message id, the same when it sends the message again. */
  id: pointerSchema.optional(),
  session: z
    .strictObject({
      id: pointerSchema.optional(),
      /** A number that counts the versions of a finished record, or its sequence number. */
      revision: pointerSchema.optional(),
      event: z.union([
        z.enum(['start', 'reading', 'end', 'record']),
        z.strictObject({
          pointer: pointerSchema,
          values: z.record(z.string(), z.enum(['start', 'reading', 'end', 'record'])),
          default: z.enum(['start', 'reading', 'end', 'record']),
        }),
      ]),
    })
    .optional(),
  animal: z.strictObject({ rfid: pointerSchema.optional(), id: pointerSchema.optional() }).optional(),
  stall: pointerSchema.optional(),
  battery: pointerSchema.optional(),
  rssi: pointerSchema.optional(),
  points: z.array(payloadPointSchema).default([]),
});
export type PayloadMap = z.infer<typeof payloadSchema>;

/** What is wrong with a payload map beyond its shape. */
export function payloadProblems({ points }: PayloadMap, catalogue: MetricCatalogue): Problem[] {
  return points.flatMap((point, index) => pointProblems(['payload', 'points', index], point, catalogue));
}
