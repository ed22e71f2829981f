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
    max_new_farms: z
      .int()
      .min(0)
      .default(3)
      .describe(
        'Farms that unknown devices may make in 24 hours by speaking of them; of more farms the messages are dead-lettered until the farm or device is entered',
      ),
    max_new_devices_per_hour: z
      .int()
      .min(0)
      .default(10_000)
      .describe('Unknown devices that a farm may get in an hour; the messages of more are dead-lettered'),
    max_dead_letters_per_hour: z
      .int()
      .min(1)
      .default(10_000)
      .describe(
        'Dead letters kept of one farm in an hour, and ten times as many of all; more are counted (smart_dairy_dead_letters_dropped_total) and gone',
      ),
    max_alerts_per_hour: z
      .int()
      .min(1)
      .default(1_000)
      .describe('New alerts that the milkings of one device may raise in an hour; the last one says so'),
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
      .describe(
        "Later times come from a wrong clock: the moment of arrival counts, with quality 3, and a registered device's clock is an alert. So do times before 2026",
      ),
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
      .describe(
        'Earlier times are dead-lettered: older than readings are kept. See max_future_minutes for clocks that were never set',
      ),
  })
  .prefault({})
  .describe('What is taken, and in which portions');
