// The schema of config/connector.yaml: types, defaults, checks and the reference page come from here.
import * as z from 'zod';
import { deviceTypeSchema } from '../../contract/topics.ts';
import { defaultOutboxOptions } from '../outbox/options.ts';

const seconds = (fallback: number) => z.number().positive().default(fallback);

/** config/connector.yaml. The descriptions are the reference page, docs/configuration.md. */
export const configSchema = z.strictObject({
  role: z
    .enum(['connector', 'bridge'])
    .default('connector')
    .describe('bridge only moves messages from the broker into the log (kafka); see docs/scaling.md'),
  database: z
    .strictObject({
      url: z.string().min(1).describe('postgres://user:password@host:port/database'),
      pool_size: z.int().min(2).default(8).describe('Connections at most, for data and jobs'),
      query_pool_size: z.int().min(1).default(4).describe('Connections at most for queries over REST'),
      query_timeout_seconds: seconds(30).describe('A query over REST is ended after this time'),
      edition: z
        .enum(['auto', 'plain'])
        .default('auto')
        .describe('plain does without TimescaleDB even where the server has it; decided at the first start'),
    })
    .describe('Where readings, milkings and the outbox are'),
  mqtt: z
    .strictObject({
      url: z.string().min(1).describe('mqtt://host:port or mqtts://host:port'),
      username: z.string().default('').describe('Account that may read all topics'),
      password: z.string().default('').describe('Its password'),
      client_id: z
        .string()
        .default('smart-dairy-connector')
        .describe('Fixed, so that the broker keeps what arrives while the connector is away'),
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
    .describe('The broker'),
  kafka: z
    .strictObject({
      brokers: z.string().default('').describe('host:port of one or more brokers, with commas between them'),
      group: z
        .string()
        .default('smart-dairy-connector')
        .describe('Consumer group; its members share the work'),
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
    .describe('The log between broker and connectors, for more than one machine'),
  intake: z
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
      batch_messages: z
        .int()
        .min(1)
        .max(20_000)
        .default(2_000)
        .describe('A batch closes at so many messages'),
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
      clock_tolerance_seconds: seconds(60).describe(
        'A device clock that is further off counts as wrong; values from further in the future are marked',
      ),
      max_past_days: z
        .number()
        .positive()
        .default(90)
        .describe('Earlier times are dead-lettered: older than readings are kept'),
    })
    .prefault({})
    .describe('What is taken, and in which portions'),
  milk: z
    .strictObject({
      kg_per_litre: z.number().min(0.9).max(1.1).default(1.03).describe('Density of milk, for litres'),
      timezone: z
        .string()
        .refine(isTimeZone, 'not an IANA time zone such as Asia/Dhaka')
        .default('UTC')
        .describe('In which the farm has morning and evening'),
      midday_hour: z.int().min(0).max(23).default(11).describe('First hour of midday; before it is morning'),
      evening_hour: z.int().min(0).max(23).default(15).describe('First hour of evening'),
      silence_seconds: seconds(600).describe(
        'A milking that says nothing for so long is closed as incomplete',
      ),
      rfid_before_seconds: seconds(300).describe(
        'A tag may be read at the stall this long before the milking starts',
      ),
      abnormal_share: z
        .number()
        .positive()
        .default(0.3)
        .describe('Abnormal: further off the mean of the animal than this share'),
      mean_days: z.int().min(1).default(30).describe('Days that the mean goes back'),
      mean_least_milkings: z.int().min(1).default(3).describe('Milkings that a mean takes at least'),
      scc_reject: z
        .number()
        .default(400_000)
        .describe('Somatic cells per mL above which the grade is reject'),
      grades: z
        .array(
          z.strictObject({
            grade: z.enum(['A', 'B', 'C']),
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
    .describe('How milkings are closed, graded and compared'),
  presence: z
    .strictObject({
      gateway_lost_seconds: seconds(60).describe(
        'A gateway that is away for so long raises one alert, gateway_lost',
      ),
      device_offline_seconds: seconds(600).describe(
        'So does a registered device that its gateway does not reach, device_offline; not behind a lost gateway',
      ),
    })
    .prefault({})
    .describe('When somebody who is missing is worth an alert'),
  odoo: z
    .strictObject({
      url: z.string().default('').describe('Empty: records wait in the outbox'),
      database: z.string().default('').describe('Name of the Odoo database'),
      login: z
        .string()
        .default('smart_dairy_connector')
        .describe('Integration user; JSON-RPC and XML-RPC need it'),
      api_key: z.string().default('').describe('Its API key, see docs/odoo.md'),
      transport: z
        .enum(['auto', 'json2', 'jsonrpc', 'xmlrpc'])
        .default('auto')
        .describe('auto: JSON-2 from Odoo 19 on, else JSON-RPC'),
      timeout_seconds: seconds(30).describe('Of one call'),
      batch_size: z
        .int()
        .min(1)
        .max(5_000)
        .default(defaultOutboxOptions.batchSize)
        .describe('Records per call'),
      api_key_file: z
        .string()
        .default('')
        .describe(
          'File (mode 0600) whose key counts instead of api_key; read again when Odoo refuses the key, and written when the key is renewed',
        ),
      key_warn_days: z.int().min(1).default(14).describe('A warning so many days before the key ends'),
      key_rotate_days: z
        .int()
        .min(0)
        .default(30)
        .describe('With api_key_file, the connector renews the key so many days before it ends; 0 = never'),
      secret: z
        .string()
        .default('')
        .describe('Signs calls from Odoo, see docs/odoo-sync.md; empty: they are refused'),
      hook_token: z
        .string()
        .default('')
        .describe('Last part of the address for webhook actions of Odoo; empty: there is none'),
      pull_seconds: seconds(30).describe(
        'How often Odoo is asked what has changed; Odoo also says so by itself',
      ),
      mapping_file: z
        .string()
        .default('')
        .describe('For an Odoo with models of its own: config/odoo-mapping.yaml, see docs/odoo-sync.md'),
    })
    .prefault({})
    .describe('Where curated records go, and where farms, animals and devices come from'),
  rest: z
    .strictObject({
      url: z
        .url({ protocol: /^http$/ })
        .default('http://127.0.0.1:8080')
        .describe('Where it listens'),
      host: z
        .string()
        .default('')
        .describe('Address to bind instead of the one in url; 0.0.0.0 in a container'),
      token: z
        .string()
        .min(16, 'needs at least 16 characters; set CONNECTOR_TOKEN')
        .describe('Bearer token of all routes but health, metrics and the API description'),
      requests_per_minute: z.int().min(1).default(60_000).describe('More of one token are answered with 429'),
      failed_logins_per_minute: z
        .int()
        .min(1)
        .default(60)
        .describe('Wrong tokens from one address; more are answered with 429'),
      max_body_bytes: z
        .int()
        .min(1_000)
        .default(8_000_000)
        .describe('Largest body of a batch of rows; 10,000 rows have 1 to 3 MB'),
    })
    .describe('The REST API and the live stream'),
  retention: z
    .strictObject({
      sent_days: z.int().min(1).default(30).describe('Outbox rows that Odoo has'),
      dead_letter_days: z.int().min(1).default(30).describe('Messages that could not be taken'),
    })
    .prefault({})
    .describe('How long rows are kept, in days'),
  storage: z
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
    .describe('How long readings and their sums are kept, in days'),
  devices: z
    .array(
      z.strictObject({
        farm: z.string().describe('Farm code, as in the topic'),
        uid: z.string().describe('Device uid, as in the topic'),
        type: deviceTypeSchema,
        name: z.string().optional().describe('For people'),
        profile: z.string().optional().describe('Profile that maps its JSON, from config/profiles/'),
        stall: z.string().optional().describe('Milking point'),
      }),
    )
    .default([])
    .describe('Devices known beforehand; others are discovered or rejected, see intake.unknown_devices'),
});

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
