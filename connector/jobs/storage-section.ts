// The `storage:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const storageSection = z
  .strictObject({
    raw_days: z.int().min(7).default(90).describe('Single readings'),
    fifteen_minute_days: z.int().min(7).default(180).describe('Sums of 15 minutes; at least raw_days'),
    hourly_days: z
      .int()
      .min(7)
      .default(365)
      .describe('Hourly sums; at least fifteen_minute_days. Daily sums stay for ever'),
    compress_after_days: z
      .int()
      .min(1)
      .default(7)
      .describe(
        'TimescaleDB Community compresses readings of this age; longer than the longest expected outage',
      ),
    archive_folder: z
      .string()
      .default('')
      .describe(
        'Readings are written here, a gzipped CSV a day, before they are dropped; empty: they are just dropped',
      ),
  })
  .prefault({})
  .describe('How long readings and their sums are kept, in days');
