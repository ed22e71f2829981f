// What the gateway remembers of a device.
import * as z from 'zod';

/** What is remembered of a device across restarts. */
export const memorySchema = z.object({
  session: z
    .object({ counter: z.number(), open: z.boolean(), at: z.number(), told: z.array(z.string()).optional() })
    .optional(),
  counters: z.record(z.string(), z.object({ last: z.number(), base: z.number() })).default({}),
});
export type DeviceMemory = z.infer<typeof memorySchema>;
