// From configuration to what the parts take: snake_case and units become ours, once.
import { AppError } from '../../contract/errors.ts';
import type { ConnectorConfig } from '../config/load.ts';
import type { ClockLimits } from '../db/clocks.ts';
import { deviceKey, type Dimensions, type NewDevice } from '../db/dimensions.ts';
import type { StorageSettings } from '../db/storage.ts';
import type { RowContext } from '../decode/rows.ts';
import type { IntakeLimits } from '../ingest/intake.ts';
import { createAlertQuota, type IntakeQuotas } from '../ingest/quota.ts';
import type { LogOptions } from '../sources/kafka-client.ts';
import type { MilkingSettings } from '../ingest/publish-milkings.ts';
import type { MqttSourceOptions } from '../sources/mqtt-source.ts';
import type { Meanings } from '../config/library.ts';
import type { PresenceLimits } from '../alerts/presence.ts';
import type { Grade } from '../rest/analytics-routes.ts';
import type { ConnectionLimits } from '../rest/connections.ts';
import type { MilkUnits } from '../rest/dashboard-routes.ts';
import type { RateLimits } from '../rest/rate-limit.ts';
import { createLimitBook, type Limit } from '../rules/limits.ts';
import { createFarmZones, type FarmZones } from '../rules/zones.ts';
import { gradeOf } from '../milkings/record.ts';

/** What decoding takes, of messages and of rows of the REST API. Catalogue and profiles are those in use at the time. */
export function decodeSettings(
  config: ConnectorConfig,
  library: Readonly<Meanings>,
  dimensions: Dimensions,
  farmZones: FarmZones,
): RowContext {
  const zones = new Map(config.devices.map(({ farm, uid, zone }) => [deviceKey(farm, uid), zone]));
  return {
    templates: config.templates,
    get catalogue() {
      return library.catalogue;
    },
    get profiles() {
      return library.profiles;
    },
    // Discovered devices are matched anew by each payload; only a registration binds.
    assignedProfile(farm, deviceUid) {
      const device = dimensions.devices.get(deviceKey(farm, deviceUid));
      return device?.state === 'registered' ? (device.profile ?? undefined) : undefined;
    },
    kgPerLitre: config.milk.kg_per_litre,
    zoneOf: (farm, deviceUid) =>
      zones.get(deviceKey(farm, deviceUid)) ?? farmZones.of(farm) ?? config.milk.timezone,
    maxPayloadBytes: config.intake.max_payload_bytes,
    maxFutureMs: config.intake.max_future_minutes * 60_000,
    maxPastMs: config.intake.max_past_days * 86_400_000,
    deviceTypeOf: (farm, deviceUid) => dimensions.devices.get(deviceKey(farm, deviceUid))?.deviceType,
  };
}

interface RestSettings {
  milk: MilkUnits;
  grade: Grade;
  limits: RateLimits;
  connections: ConnectionLimits;
}

/** What the REST server takes. */
export function restSettings(config: ConnectorConfig): RestSettings {
  const { rest, milk } = config;
  const { rules } = milkingSettings(config);
  return {
    milk: { kgPerLitre: milk.kg_per_litre },
    grade: (fat, protein, scc) => gradeOf(fat, protein, scc, rules),
    connections: {
      perAddress: rest.max_connections_per_address,
      total: rest.max_connections,
      proxies: rest.trusted_proxies,
    },
    limits: {
      requestsPerMinute: rest.requests_per_minute,
      failedLoginsPerMinute: rest.failed_logins_per_minute,
      openRequestsPerMinute: rest.open_requests_per_minute,
    },
  };
}

/** What the intake takes. */
export function intakeLimits({ intake }: ConnectorConfig): IntakeLimits {
  return {
    batchMessages: intake.batch_messages,
    batchMs: intake.batch_ms,
    maxPendingBytes: intake.max_pending_bytes,
  };
}

/** How much unknown senders may make the intake keep. */
export function intakeQuotas({ intake }: ConnectorConfig): IntakeQuotas {
  return {
    newFarms: intake.max_new_farms,
    newDevicesPerHour: intake.max_new_devices_per_hour,
    deadLettersPerHour: intake.max_dead_letters_per_hour,
  };
}

/** What milkings take. */
export function milkingSettings(
  config: ConnectorConfig,
  farmZones: FarmZones = createFarmZones(),
): Omit<MilkingSettings, 'mostYieldKg'> {
  const { milk, intake } = config;
  const alertQuota = createAlertQuota(intake.max_alerts_per_hour);
  return {
    rules: {
      timezone: dayZone(config),
      middayHour: milk.midday_hour,
      eveningHour: milk.evening_hour,
      sccReject: milk.scc_reject,
      grades: milk.grades,
    },
    limits: createLimitBook(
      new Map([
        ['milk_scc', [above(milk.alerts.scc_medium, 'medium'), above(milk.alerts.scc_high, 'high')]],
        ['milk_conductivity', [above(milk.alerts.conductivity, 'medium')]],
        ['milk_yield_deviation', [above(milk.abnormal_share * 100, 'low')]],
      ]),
    ),
    alertQuota: (deviceId, key) => alertQuota(deviceId, key, Date.now()),
    zoneOf: (farm) => farmZones.of(farm),
    rfidBeforeSeconds: milk.rfid_before_seconds,
    meanDays: milk.mean_days,
    meanLeastMilkings: milk.mean_least_milkings,
  };
}

/** The zone in which days are counted. */
export const dayZone = ({ milk }: ConnectorConfig): string => milk.timezone ?? 'UTC';

const above = (high: number, severity: Limit['severity']): Limit => ({ low: null, high, severity });

/** How long somebody may be away, in seconds. */
export function presenceSettings({ presence }: ConnectorConfig): PresenceLimits {
  return { gateway: presence.gateway_lost_seconds, device: presence.device_offline_seconds };
}

/** From which offset on a device's clock is an alert: where its times are not taken, or known to be so wrong. */
export function clockSettings({ intake }: ConnectorConfig): ClockLimits {
  const seconds = intake.max_future_minutes * 60;
  return { ahead: seconds, behind: intake.max_past_days * 86_400, provenBehind: seconds };
}

/** How long what is kept. */
export function storageSettings({ storage }: ConnectorConfig): StorageSettings {
  return {
    rawDays: storage.raw_days,
    fifteenMinuteDays: storage.fifteen_minute_days,
    hourlyDays: storage.hourly_days,
    compressAfterDays: storage.compress_after_days,
  };
}

/** The devices that the configuration registers. */
export function configuredDevices({ devices }: ConnectorConfig): NewDevice[] {
  return devices.map((device) => ({
    farm: device.farm,
    deviceUid: device.uid,
    deviceType: device.type,
    name: device.name ?? device.uid,
    profile: device.profile ?? null,
    stall: device.stall ?? null,
    seenAt: null,
    state: 'registered',
  }));
}

/** Topic filters: the roots of all templates, so that a misspelt topic ends as a dead letter instead of unheard. */
function topicRoots({ templates }: ConnectorConfig): string[] {
  return [
    ...new Set(templates.map(({ levels: [first] }) => (first && 'word' in first ? `${first.word}/#` : '#'))),
  ];
}

/** Where the log is. Throws AppError `invalid` when kafka.brokers is empty. */
export function logSettings({ kafka, mqtt }: ConnectorConfig, purpose: string): LogOptions {
  const brokers = kafka.brokers.split(',').map((broker) => broker.trim());
  if (brokers.includes(''))
    throw new AppError('invalid', `${purpose} needs kafka.brokers: host:port, with commas between`);
  return { brokers, clientId: mqtt.client_id };
}

/** What a subscription to the broker takes. */
export function mqttSettings(config: ConnectorConfig): MqttSourceOptions {
  const { url, username, password, client_id: clientId } = config.mqtt;
  const receiveMaximum = Math.min(65_535, 2 * config.intake.batch_messages);
  return { url, username, password, clientId, filters: topicRoots(config), receiveMaximum };
}
