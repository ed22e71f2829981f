// The gateway's configuration: config/gateway.yaml, checked against the profiles it names.
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import { nearMatch } from '../../contract/near-match.ts';
import type { ModbusMap, Profile } from '../../contract/profile.ts';
import { loadMetrics, loadProfiles } from '../../contract/runtime/profiles.ts';
import { loadYaml, type LoadedYaml } from '../../contract/runtime/yaml.ts';
import type { TopicAddress } from '../../contract/topics.ts';
import { planReads, type ReadPlan } from './plan.ts';

const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'letters, digits, . _ : -, at most 64');
const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === '' ? undefined : text));

const deviceSchema = z.strictObject({
  uid: nameSchema,
  /** Modbus unit id on its bus. */
  unit: z.int().min(0).max(255),
  profile: z.string(),
  stall: z.string().max(32).optional(),
});

const busSchema = z.strictObject({
  name: nameSchema,
  host: z.string().min(1),
  port: z.coerce.number().int().min(1).max(65_535).default(502),
  timeout_ms: z.int().min(10).default(1000),
  /** Longest wait between two tries of a bus or device that does not answer. */
  retry_max_ms: z.int().min(10).default(10_000),
  devices: z.array(deviceSchema).min(1),
});

const gatewaySchema = z.strictObject({
  farm: nameSchema,
  uid: nameSchema,
  mqtt: z.strictObject({
    url: z.string().min(1),
    username: optionalText,
    password: optionalText,
    /** Readings kept in memory while the broker is away. */
    queue_limit: z.int().min(1).default(50_000),
  }),
  /** Folder of device profiles, and the metric catalogue; from the folder of this file. */
  profiles: z.string().default('profiles'),
  metrics: z.string().default('metrics.yaml'),
  /** What the gateway remembers of each meter across restarts; from the working directory. */
  state_file: z.string(),
  /** Density of milk, for meters that count litres. */
  kg_per_litre: z.number().positive().default(1.03),
  /** A stall that idles publishes this often. */
  heartbeat_ms: z.int().min(100).default(60_000),
  buses: z.array(busSchema).min(1),
});
type GatewayFile = z.infer<typeof gatewaySchema>;

/** A device with everything that its polling needs. */
export interface DeviceConfig {
  uid: string;
  unit: number;
  stall: string | undefined;
  address: Omit<TopicAddress, 'messageType'>;
  map: ModbusMap;
  plan: ReadPlan;
}

export interface BusConfig {
  name: string;
  host: string;
  port: number;
  timeoutMs: number;
  retryMaxMs: number;
  pauseAfterConnectMs: number;
  devices: readonly DeviceConfig[];
}

export interface GatewayConfig {
  farm: string;
  uid: string;
  mqtt: { url: string; username: string | undefined; password: string | undefined; queueLimit: number };
  stateFile: string;
  kgPerLitre: number;
  heartbeatMs: number;
  buses: readonly BusConfig[];
}

/** Loads the configuration with its profiles. Throws AppError `invalid` with every problem's place. */
export function loadGatewayConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): GatewayConfig {
  const loaded = loadYaml(file, gatewaySchema, environment);
  const { value } = loaded;
  const catalogue: MetricCatalogue = loadMetrics(resolve(dirname(file), value.metrics));
  const profiles = loadProfiles(resolve(dirname(file), value.profiles), catalogue);
  const problems = findProblems(loaded, profiles);
  if (problems.length > 0) throw new AppError('invalid', problems.join('\n'));
  return {
    farm: value.farm,
    uid: value.uid,
    mqtt: {
      url: value.mqtt.url,
      username: value.mqtt.username,
      password: value.mqtt.password,
      queueLimit: value.mqtt.queue_limit,
    },
    stateFile: resolve(value.state_file),
    kgPerLitre: value.kg_per_litre,
    heartbeatMs: value.heartbeat_ms,
    buses: value.buses.map((bus) => toBus(value.farm, bus, profiles)),
  };
}

function findProblems(
  { value, complain }: LoadedYaml<GatewayFile>,
  profiles: ReadonlyMap<string, Profile>,
): string[] {
  const problems: string[] = [];
  const modbusProfiles = [...profiles.values()].filter((profile) => profile.modbus !== undefined);
  const names = modbusProfiles.map((profile) => profile.profile);
  const uids = new Set<string>([value.uid]);
  value.buses.forEach((bus, busIndex) => {
    const units = new Set<number>();
    bus.devices.forEach((device, index) => {
      const path = ['buses', busIndex, 'devices', index];
      if (!names.includes(device.profile)) {
        const near = nearMatch(device.profile, names);
        const hint = near === undefined ? `known: ${names.join(', ')}` : `did you mean '${near}'?`;
        problems.push(
          complain([...path, 'profile'], `there is no Modbus profile '${device.profile}'; ${hint}`),
        );
      }
      if (uids.has(device.uid)) problems.push(complain([...path, 'uid'], `uid '${device.uid}' is taken`));
      if (units.has(device.unit))
        problems.push(complain([...path, 'unit'], `unit ${device.unit} is taken on bus '${bus.name}'`));
      uids.add(device.uid);
      units.add(device.unit);
    });
  });
  return problems;
}

function toBus(
  farm: string,
  bus: GatewayFile['buses'][number],
  profiles: ReadonlyMap<string, Profile>,
): BusConfig {
  const devices = bus.devices.flatMap(({ uid, unit, stall, profile: name }): DeviceConfig[] => {
    const profile = profiles.get(name);
    if (profile?.modbus === undefined) return [];
    const map = profile.modbus;
    const address = { farm, deviceType: profile.device_type, deviceUid: uid };
    return [{ uid, unit, stall, address, map, plan: planReads(map) }];
  });
  return {
    name: bus.name,
    host: bus.host,
    port: bus.port,
    timeoutMs: bus.timeout_ms,
    retryMaxMs: bus.retry_max_ms,
    pauseAfterConnectMs: Math.max(...devices.map((device) => device.map.pause_after_connect_ms)),
    devices,
  };
}
