// gateway.yaml: the part that all protocols share, and one section per protocol.
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../contract/errors.ts';
import { logSection } from '../../contract/runtime/logger.ts';
import { loadMetrics, loadProfiles } from '../../contract/runtime/profiles.ts';
import { loadYaml } from '../../contract/runtime/yaml.ts';
import type { Protocol, Site } from './protocol.ts';

/** Uids of devices, gateways and buses, and farm codes. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'letters, digits, . _ : -, at most 64');
const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === '' ? undefined : text));

const sharedShape = {
  farm: nameSchema.describe('Farm code, as in the topics'),
  uid: nameSchema.describe('The gateway’s own uid, as in the topics'),
  log: logSection,
  mqtt: z
    .strictObject({
      url: z.string().min(1).describe('mqtt://host:port or mqtts://host:port'),
      username: optionalText.describe('Account of this gateway'),
      password: optionalText.describe('Its password'),
    })
    .describe('The broker it publishes on'),
  spool: z
    .strictObject({
      file: z.string().min(1).describe('SQLite file, from the working directory'),
      max_mb: z.number().min(1).default(1024).describe('Size at most; the oldest go first'),
      max_age_days: z.number().positive().default(30).describe('What is older is given up'),
      commit_ms: z
        .int()
        .min(1)
        .max(10_000)
        .default(100)
        .describe('Readings of so long share one write to the disk'),
      backlog_per_s: z
        .int()
        .min(0)
        .default(500)
        .describe(
          'Messages a second of the backlog after an outage; 0 is as fast as possible. Live readings always go first',
        ),
      keep_acknowledged_seconds: z
        .number()
        .min(0)
        .max(86_400)
        .default(30)
        .describe(
          "What the broker has acknowledged is kept for so long, and sent again when the connection is lost meanwhile: longer than the broker's own autosave (10 s in config/mosquitto; Mosquitto's default is 1,800 s). 0 believes every acknowledgement",
        ),
    })
    .describe('Store and forward: every reading is on this disk before it is sent'),
  clock: z
    .strictObject({
      check: z
        .enum(['auto', 'file', 'trust'])
        .default('auto')
        .describe(
          'auto: ask systemd-timesyncd where it runs; file: the clock is right once that file exists; trust: always right',
        ),
      file: z
        .string()
        .default('/run/systemd/timesync/synchronized')
        .describe('Exists once the clock is right'),
    })
    .prefault({})
    .describe('Whether the clock of this machine is right; readings are marked until it is'),
  health: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
      port: z.coerce.number().int().min(0).max(65_535).describe('0 takes any free port and logs it'),
    })
    .optional()
    .describe('/health/live, /health/ready and /metrics; without it there are none'),
  profiles: z
    .string()
    .default('profiles')
    .describe('Folder of device profiles, from the folder of this file'),
  metrics: z.string().default('metrics.yaml').describe('The metric catalogue, from the folder of this file'),
  kg_per_litre: z.number().positive().default(1.03).describe('Density of milk, for meters that count litres'),
  heartbeat_ms: z.int().min(100).default(60_000).describe('A stall that idles publishes this often'),
};
const sharedSchema = z.strictObject(sharedShape);
/** The shared part: a change of it restarts everything. */
export type SharedConfig = z.infer<typeof sharedSchema>;

export interface GatewayConfig {
  shared: SharedConfig;
  /** Settings of each protocol that has a section, by name. */
  settings: ReadonlyMap<string, unknown>;
}

/**
 * Loads the file with the profiles it names. Sections named in `others` belong to protocols that run elsewhere and are not looked at.
 * Throws AppError `invalid` with every problem's place.
 */
export function loadGatewayConfig(
  file: string,
  protocols: readonly Protocol[],
  environment: Readonly<Record<string, string | undefined>>,
  others: readonly string[] = [],
): GatewayConfig {
  const { value, complain } = loadYaml(file, gatewaySchema(protocols, others), environment);
  const sections = value as Record<string, unknown>;
  const shared = sharedSchema.parse(
    Object.fromEntries(Object.keys(sharedShape).map((key) => [key, sections[key]])),
  );
  const catalogue = loadMetrics(resolve(dirname(file), shared.metrics));
  const profiles = loadProfiles(resolve(dirname(file), shared.profiles), catalogue);
  const problems: string[] = [];
  const uids = new Set([shared.uid]);
  const settings = new Map<string, unknown>();
  for (const protocol of protocols) {
    const section = sections[protocol.name];
    if (section === undefined) continue;
    const site: Site = {
      farm: shared.farm,
      gateway: shared.uid,
      kgPerLitre: shared.kg_per_litre,
      heartbeatMs: shared.heartbeat_ms,
      profiles,
      catalogue,
      complain: (path, message) => void problems.push(complain([protocol.name, ...path], message)),
      claim: (uid, path) => {
        if (uids.has(uid)) site.complain([...path, 'uid'], `uid '${uid}' is taken`);
        uids.add(uid);
      },
    };
    settings.set(protocol.name, protocol.resolve(section, site));
  }
  if (problems.length > 0) throw new AppError('invalid', problems.join('\n'));
  if (settings.size === 0) {
    const names = protocols.map(({ name }) => `${name}:`).join(', ');
    throw new AppError('invalid', `${file}: there is nothing to run; add a section ${names}`);
  }
  return { shared, settings };
}

/** The strict schema of a whole file. */
export function gatewaySchema(protocols: readonly Protocol[], others: readonly string[] = []): z.ZodType {
  const foreign = others.map((name) => [name, z.unknown().optional()] as const);
  const own = protocols.map(({ name, schema }) => [name, schema.optional()] as const);
  return z.strictObject({ ...Object.fromEntries(foreign), ...sharedShape, ...Object.fromEntries(own) });
}
