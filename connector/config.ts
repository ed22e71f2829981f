// config/connector.yaml: one strict schema gives types, defaults and checks.
import * as z from 'zod';
import { AppError, messageOf } from '../contract/errors.ts';
import { loadYaml } from '../contract/runtime/yaml.ts';
import {
  canonicalTemplate,
  compileTopicTemplate,
  deviceTypeSchema,
  type TopicTemplate,
} from '../contract/topics.ts';

const seconds = (fallback: number) => z.number().positive().default(fallback);

const schema = z.strictObject({
  database: z.strictObject({
    url: z.string().min(1),
    pool_size: z.int().min(2).default(8),
    edition: z.enum(['auto', 'plain']).default('auto'),
  }),
  mqtt: z.strictObject({
    url: z.string().min(1),
    username: z.string().default(''),
    password: z.string().default(''),
    /** Fixed, so that the broker keeps what arrives while the connector is away. */
    client_id: z.string().default('smart-dairy-connector'),
    /** Topic shapes beside the canonical one. */
    topics: z
      .array(
        z.strictObject({
          template: z.string(),
          farm: z.string().optional(),
          device_type: deviceTypeSchema.optional(),
        }),
      )
      .default([]),
  }),
  intake: z
    .strictObject({
      /** What happens to data of a device that nobody registered: stored and shown as discovered, or dead-lettered. */
      unknown_devices: z.enum(['discover', 'reject']).default('discover'),
      batch_messages: z.int().min(1).max(20_000).default(2_000),
      batch_ms: z.int().min(1).default(20),
      max_pending_bytes: z.int().min(1_000_000).default(64_000_000),
      max_payload_bytes: z.int().min(1_000).default(262_144),
      max_future_minutes: z.number().positive().default(10),
      max_past_days: z.number().positive().default(90),
    })
    .prefault({}),
  milk: z
    .strictObject({
      /** Density of milk, for litres. */
      kg_per_litre: z.number().min(0.9).max(1.1).default(1.03),
      timezone: z.string().refine(isTimeZone, 'not an IANA time zone such as Asia/Dhaka').default('UTC'),
      midday_hour: z.int().min(0).max(23).default(11),
      evening_hour: z.int().min(0).max(23).default(15),
      /** A milking that says nothing for so long is closed as incomplete. */
      silence_seconds: seconds(600),
      /** A tag may be read at the stall this long before the milking starts. */
      rfid_before_seconds: seconds(300),
      abnormal_share: z.number().positive().default(0.3),
      mean_days: z.int().min(1).default(30),
      mean_least_milkings: z.int().min(1).default(3),
      scc_reject: z.number().default(400_000),
      grades: z
        .array(z.strictObject({ grade: z.enum(['A', 'B', 'C']), fat: z.number(), protein: z.number() }))
        .default([
          { grade: 'A', fat: 3.5, protein: 3.0 },
          { grade: 'B', fat: 3.0, protein: 2.8 },
          { grade: 'C', fat: 2.5, protein: 2.5 },
        ]),
      alerts: z
        .strictObject({
          scc_medium: z.number().default(400_000),
          scc_high: z.number().default(750_000),
          conductivity: z.number().default(6.5),
        })
        .prefault({}),
    })
    .prefault({}),
  odoo: z
    .strictObject({
      /** Empty: records wait in the outbox. */
      url: z.string().default(''),
      database: z.string().default(''),
      login: z.string().default('smart_dairy_connector'),
      api_key: z.string().default(''),
      transport: z.enum(['auto', 'json2', 'jsonrpc', 'xmlrpc']).default('auto'),
      timeout_seconds: seconds(30),
      batch_size: z.int().min(1).max(5_000).default(500),
    })
    .prefault({}),
  rest: z.strictObject({
    /** Where it listens: the port always, the host unless `host` says otherwise (0.0.0.0 in a container). */
    url: z.url({ protocol: /^http$/ }).default('http://127.0.0.1:8080'),
    host: z.string().default(''),
    token: z.string().min(16, 'needs at least 16 characters; set CONNECTOR_TOKEN'),
  }),
  retention: z
    .strictObject({ sent_days: z.int().min(1).default(30), dead_letter_days: z.int().min(1).default(30) })
    .prefault({}),
  /** Devices known beforehand; others are discovered or rejected, see intake.unknown_devices. */
  devices: z
    .array(
      z.strictObject({
        farm: z.string(),
        uid: z.string(),
        type: deviceTypeSchema,
        name: z.string().optional(),
        profile: z.string().optional(),
        stall: z.string().optional(),
      }),
    )
    .default([]),
});

export type ConnectorConfig = z.infer<typeof schema> & { templates: readonly TopicTemplate[] };

/** Loads the connector's configuration. Throws AppError `invalid` with file:line:column. */
export function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): ConnectorConfig {
  const { value, complain } = loadYaml(file, schema, environment);
  const templates = [compileTopicTemplate(canonicalTemplate)];
  for (const [index, topic] of value.mqtt.topics.entries()) {
    try {
      templates.push(
        compileTopicTemplate(topic.template, { farm: topic.farm, deviceType: topic.device_type }),
      );
    } catch (error) {
      throw new AppError('invalid', complain(['mqtt', 'topics', index, 'template'], messageOf(error)));
    }
  }
  return { ...value, templates };
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
