// The `intake:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const intakeSection = z
  .strictObject({
    source: z
      .enum(['mqtt', 'kafka'])
      .default('mqtt')
      .describe('Where messages come from: the broker, or the log that a bridge fills from the broker'),
    unknown_devices: z
      .enum(['discover', 'reject'])
      .default('discover')
      .describe(
        'What happens to data of a device that nobody registered: stored and shown as discovered, or dead-lettered',
      ),
    batch_messages: z.int().min(1).max(20_000).default(2_000).describe('A batch closes at so many messages'),
    batch_ms: z.int().min(1).default(20).describe('or after so many milliseconds'),
    max_pending_bytes: z
      .int()
      .min(1_000_000)
      .default(64_000_000)
      .describe('Payload bytes in memory before the broker is held back'),
    max_payload_bytes: z.int().min(1_000).default(262_144).describe('Larger messages are dead-lettered'),
    max_future_minutes: z
      .number()
      .positive()
      .default(10)
      .describe('Later times are dead-lettered: the device clock is wrong'),
    clock_tolerance_seconds: z
      .number()
      .positive()
      .default(60)
      .describe(
        'A device clock that is further off counts as wrong; values from further in the future are marked',
      ),
    max_past_days: z
      .number()
      .positive()
      .default(90)
      .describe('Earlier times are dead-lettered: older than readings are kept'),
  })
  .prefault({})
  .describe('What is taken, and in which portions');
