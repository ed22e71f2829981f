// Commands: what is published on `…/commands` of a device, and how its result comes back on `…/status`.
import * as z from 'zod';
import { momentSchema, storable, unprintable } from './envelope.ts';

/** One command to one device. The same `id` is executed once, however often it arrives. */
export const commandSchema = z.strictObject({
  id: z.string().min(1).max(128),
  /** Name of a command in the device's profile. */
  command: z.string().min(1).max(64),
  value: z.union([z.number(), z.string().max(256), z.boolean()]).optional(),
  /** Not executed after this moment: nobody wants a gate to open an hour later. */
  expires_at: momentSchema.optional(),
  /** From its arrival at the gateway to the end of its execution, the wait for other commands included. */
  timeout_ms: z.int().min(100).max(600_000).default(10_000),
});
export type Command = z.infer<typeof commandSchema>;

/** What a command is in, as the connector keeps it; the last four are its end. */
export const commandStates = ['sent', 'accepted', 'done', 'rejected', 'failed', 'timed_out'] as const;
export type CommandState = (typeof commandStates)[number];

/**
 * - `accepted`: the gateway has it and knows the device; the result follows.
 * - `done`: executed, and read back where the device can be read.
 * - `rejected`: will never work as it is (unknown name, value out of range, expired).
 * - `failed`: the device refused it or shows another value afterwards.
 * - `timeout`: no answer in time; its detail says whether it may have been executed.
 */
export const commandResultSchema = z.object({
  id: z.string(),
  command: z.string(),
  result: z.enum(['accepted', 'done', 'rejected', 'failed', 'timeout']),
  detail: z.string().max(1_000).refine(storable, unprintable).optional(),
  /** Value read back, in the unit of the command. */
  value: z.union([z.number(), z.string().refine(storable, unprintable), z.boolean()]).optional(),
});
export type CommandResult = z.infer<typeof commandResultSchema>;
