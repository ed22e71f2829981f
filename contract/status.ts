// What is published on `…/status`: whether a device or gateway is there, and how a command to it ended.
import * as z from 'zod';
import { commandResultSchema } from './commands.ts';
import { momentSchema, storable, unprintable } from './envelope.ts';

/** Retained; `offline` is the last will. With `command` it is the answer to a command, not retained, and no news of the state. */
export const statusSchema = z.object({
  state: z.enum(['online', 'degraded', 'offline']),
  at: momentSchema.optional(),
  detail: z.string().max(1_000).refine(storable, unprintable).optional(),
  /** Gateway that a device is behind: with the gateway lost, this device's silence is no event of its own. */
  via: z.string().max(64).optional(),
  /** The device left its gateway's configuration: with `offline`, and no reason to worry. */
  removed: z.literal(true).optional(),
  /** On a gateway's own status: how many devices are behind it. */
  devices: z.int().min(0).optional(),
  command: commandResultSchema.optional(),
});
export type DeviceStatus = z.infer<typeof statusSchema>;
