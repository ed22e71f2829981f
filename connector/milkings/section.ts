// The `milk:` section of connector.yaml.
import * as z from 'zod';
import { zoneSchema } from '../../contract/zone.ts';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const milkSection = z
  .strictObject({
    kg_per_litre: z.number().min(0.9).max(1.1).default(1.03).describe('Density of milk, for litres'),
    timezone: zoneSchema
      .optional()
      .describe(
        'In which farms have their days, morning and evening, and devices their times without an offset; a farm with a time zone of its own in Odoo has that. Without any, days are UTC, and such times are refused',
      ),
    midday_hour: z.int().min(0).max(23).default(11).describe('First hour of midday; before it is morning'),
    evening_hour: z.int().min(0).max(23).default(15).describe('First hour of evening'),
    silence_seconds: z
      .number()
      .positive()
      .default(600)
      .describe('A milking that says nothing for so long is closed as incomplete'),
    rfid_before_seconds: z
      .number()
      .positive()
      .default(300)
      .describe('A tag may be read at the stall this long before the milking starts'),
    abnormal_share: z
      .number()
      .positive()
      .default(0.3)
      .describe('Abnormal: further off the mean of the animal than this share'),
    mean_days: z.int().min(1).default(30).describe('Days that the mean goes back'),
    mean_least_milkings: z.int().min(1).default(3).describe('Milkings that a mean takes at least'),
    scc_reject: z.number().default(400_000).describe('Somatic cells per mL above which the grade is reject'),
    grades: z
      .array(
        z.strictObject({
          grade: z.enum(['A', 'B', 'C']).describe('Its letter'),
          fat: z.number().describe('% at least'),
          protein: z.number().describe('% at least'),
        }),
      )
      .default([
        { grade: 'A', fat: 3.5, protein: 3.0 },
        { grade: 'B', fat: 3.0, protein: 2.8 },
        { grade: 'C', fat: 2.5, protein: 2.5 },
      ])
      .describe('Best first; less than the last is reject'),
    alerts: z
      .strictObject({
        scc_medium: z.number().default(400_000).describe('Somatic cells per mL, severity medium above'),
        scc_high: z.number().default(750_000).describe('Somatic cells per mL, severity high above'),
        conductivity: z.number().default(6.5).describe('mS/cm, severity medium above'),
      })
      .prefault({})
      .describe('Limits that raise an alert'),
  })
  .prefault({})
  .describe('How milkings are closed, graded and compared');
