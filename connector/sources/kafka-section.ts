// The `kafka:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const kafkaSection = z
  .strictObject({
    brokers: z.string().default('').describe('host:port of one or more brokers, with commas between them'),
    group: z.string().default('smart-dairy-connector').describe('Consumer group; its members share the work'),
    partitions: z
      .int()
      .min(1)
      .max(1_000)
      .default(12)
      .describe('Partitions of the topics that the bridge makes: the most members a group can have'),
    notify: z
      .boolean()
      .default(false)
      .describe('Also tell iot.sensor.processed and iot.anomalies what was stored; best effort'),
  })
  .prefault({})
  .describe('The log between broker and connectors, for more than one machine');
