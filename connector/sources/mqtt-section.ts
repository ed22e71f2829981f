// The `mqtt:` section of connector.yaml.
import * as z from 'zod';
import { deviceTypeSchema } from '../../contract/topics.ts';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const mqttSection = z
  .strictObject({
    url: z.string().min(1).describe('mqtt://host:port or mqtts://host:port'),
    username: z.string().default('').describe('Account that may read all topics'),
    password: z.string().default('').describe('Its password'),
    client_id: z
      .string()
      .default('smart-dairy-connector')
      .describe('Fixed, so that the broker keeps what arrives while the connector is away'),
    embedded_port: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(0)
      .describe(
        'A broker inside this process listens here, on loopback, in place of the one at url; 0: there is none',
      ),
    embedded_max_retained: z
      .int()
      .min(0)
      .default(100_000)
      .describe(
        'Topics of which that broker keeps the last retained message, in memory; of more topics it passes messages on and keeps none',
      ),
    embedded_accounts_file: z
      .string()
      .default('')
      .describe(
        'Accounts of programs and devices at the broker inside this process, as mosquitto_passwd writes them; each has to take its name as its client id. The account of username may have any',
      ),
    topics: z
      .array(
        z.strictObject({
          template: z
            .string()
            .describe('Levels are words or {farm}, {device_type}, {device_uid}, {message_type}'),
          farm: z.string().optional().describe('Farm of a template without {farm}'),
          device_type: deviceTypeSchema
            .optional()
            .describe('Device type of a template without {device_type}'),
        }),
      )
      .default([])
      .describe('Topic shapes beside dairy/{farm}/{device_type}/{device_uid}/{message_type}'),
  })
  .describe('The broker');
