// The `retention:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const retentionSection = z
  .strictObject({
    sent_days: z.int().min(1).default(30).describe('Outbox rows that Odoo has'),
    dead_letter_days: z.int().min(1).default(30).describe('Messages that could not be taken'),
  })
  .prefault({})
  .describe('How long rows are kept, in days');
