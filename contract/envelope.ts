// Envelope v1: what a device or gateway of ours publishes on `…/data`.
import * as z from 'zod';
import { rfidSchema } from './animal-tag.ts';

/** A moment: ISO 8601 with offset, or epoch milliseconds. */
export const momentSchema = z.union([z.iso.datetime({ offset: true }), z.number()]);

/** Text that PostgreSQL can keep: no control characters, no halves of surrogate pairs. */
export const storable = (text: string) => text.isWellFormed() && !/[\u0000-\u001f]/.test(text);
export const unprintable = 'has characters that cannot be stored';

/** Quality of a point, as stored: 0 good; anything else never triggers a rule. */
export const quality = {
  good: 0,
  outOfRange: 1,
  deviceFlagged: 2,
  clockUnsynchronised: 3,
  rateOfChange: 4,
  stuck: 5,
} as const;

export const envelopeSchema = z.strictObject({
  v: z.literal(1),
  /**
   * The sender's own message id, the same when it sends the message again. Readings are told apart by (device, metric, time);
   * of a milking's increments two of one moment count both when their ids differ.
   */
  id: z.string().max(128).refine(storable, unprintable).optional(),
  at: momentSchema,
  /** m metric, t moment of this point if not `at`, v value in the catalogue's unit, q quality. */
  points: z
    .array(
      z.strictObject({
        m: z.string().max(64),
        t: momentSchema.optional(),
        v: z.number(),
        q: z.int().min(0).max(32_767).optional(),
      }),
    )
    .max(10_000),
  animal: z.strictObject({ rfid: rfidSchema.optional(), id: z.string().max(64).optional() }).optional(),
  /** `record` carries a finished milking in one message. */
  session: z
    .strictObject({
      id: z.string().min(1).max(128).refine(storable, unprintable),
      event: z.enum(['start', 'reading', 'end', 'record']),
      /** Counts the versions of a finished record: the highest one is the newest, whenever it comes. */
      revision: z.int().min(0).optional(),
    })
    .optional(),
  /** Milking point (ICAR milkingParlourUnit); readers and meters of one stall name the same one. */
  stall: z.string().max(32).optional(),
  battery: z.number().min(0).max(100).optional(),
  rssi: z.number().optional(),
});
/** Whether a payload is meant as an envelope: `v` is 1 and there are `points`. A `v` of another kind is somebody's voltage. */
export const isEnvelope = (payload: object): boolean =>
  'v' in payload && payload.v === 1 && 'points' in payload;
export type Envelope = z.infer<typeof envelopeSchema>;
