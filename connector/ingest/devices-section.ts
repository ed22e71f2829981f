// The `devices:` section of connector.yaml.
import * as z from 'zod';
import { zoneSchema } from '../../contract/zone.ts';
import { deviceTypeSchema } from '../../contract/topics.ts';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const devicesSection = z
  .array(
    z.strictObject({
      farm: z.string().describe('Farm code, as in the topic'),
      uid: z.string().describe('Device uid, as in the topic'),
      type: deviceTypeSchema.describe('Device type, as in the topic'),
      name: z.string().optional().describe('For people'),
      profile: z.string().optional().describe('Profile that maps its JSON, from config/profiles/'),
      stall: z
        .string()
        .optional()
        .describe(
          "Milking point. Of a tag reader the only stalls that its tags count for: 'A', 'A, B', or '*' for every stall of the farm",
        ),
      zone: zoneSchema.optional().describe("Time zone of its times without an offset, if not the farm's"),
    }),
  )
  .default([])
  .describe('Devices known beforehand; others are discovered or rejected, see intake.unknown_devices');
