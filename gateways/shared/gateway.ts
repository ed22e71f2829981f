// A gateway: spool, broker link and the protocols of one configuration, which may be exchanged while it runs.
import { isDeepStrictEqual } from 'node:util';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { buildTopic } from '../../contract/topics.ts';
import { createClock, type Clock } from './clock.ts';
import { createCommands, type Commands } from './commands.ts';
import type { GatewayConfig, SharedConfig } from './config.ts';
import { startHealth } from './health.ts';
import { createMeters, type Meters } from './meters.ts';
import type { Link } from './link.ts';
import { connectLink } from './mqtt.ts';
import { createOutlet, type Outlet, type OutletCounts } from './outlet.ts';
import type { Protocol, Running, Services } from './protocol.ts';
import { createRoster, gatewayTopic, gatewayWill, type Roster } from './roster.ts';
import { openSpool } from './spool.ts';

export interface Gateway {
  counts(): OutletCounts;
  /** Port of the health page, undefined without one. */
  healthPort(): number | undefined;
  /** Takes a new configuration; only what differs is touched. A change of the shared part restarts everything. */
  reload(config: GatewayConfig): Promise<void>;
  /** Stops the protocols, delivers what waits, says offline. */
  stop(): Promise<void>;
}

/** Starts everything. Neither the broker nor any device has to answer yet. Throws AppError `invalid` when the spool cannot be opened. */
export async function startGateway(
  config: GatewayConfig,
  protocols: readonly Protocol[],
  logger: Logger,
): Promise<Gateway> {
  // Once a process: what it counts goes on through a restart of everything else.
  const meters = createMeters();
  let current = await startAll(config, protocols, meters, logger);
  let changing: Promise<void> = Promise.resolve();
  let stopping: Promise<void> | undefined;
  return {
    counts: () => current.counts(),
    healthPort: () => current.healthPort,
    reload: (next) => {
      changing = changing
        .catch(() => undefined)
        .then(async () => {
          if (isDeepStrictEqual(next.shared, current.shared)) return current.update(next);
          logger.warn('the shared part of the configuration changed: everything restarts');
          await current.stop();
          current = await startAll(next, protocols, meters, logger);
        });
      return changing;
    },
    stop: () => (stopping ??= changing.catch(() => undefined).then(() => current.stop())),
  };
}

const seenEveryMs = 60_000;

/** What one configuration of the shared part runs with. */
interface Parts {
  shared: SharedConfig;
  outlet: Outlet;
  link: Link;
  clock: Clock;
  roster: Roster;
  commands: Commands;
  meters: Meters;
  logger: Logger;
}

async function startAll(
  { shared, settings }: GatewayConfig,
  protocols: readonly Protocol[],
  meters: Meters,
  logger: Logger,
) {
  const parts = startParts(shared, meters, logger);
  const { outlet, link, clock, roster } = parts;
  const see = () => {
    const { at, isSynchronised } = clock.now();
    if (isSynchronised) outlet.remember('clock/latest', at);
  };
  const seen = setInterval(bounded(logger, 'clock', see), seenEveryMs);
  const services = servicesOf(parts);
  const running = new Map<string, Running<unknown>>();
  const update = async (next: GatewayConfig) => {
    for (const protocol of protocols) {
      const wanted = next.settings.get(protocol.name);
      const existing = running.get(protocol.name);
      if (wanted === undefined) {
        running.delete(protocol.name);
        await existing?.stop();
      } else if (existing === undefined) running.set(protocol.name, protocol.start(wanted, services));
      else await existing.reload(wanted);
    }
  };
  const health = await startHealthPage(parts);
  await update({ shared, settings });
  return {
    shared,
    healthPort: health?.port,
    counts: () => outlet.counts(),
    update,
    stop: async () => {
      clearInterval(seen);
      await Promise.all([...running.values()].map((protocol) => protocol.stop()));
      await health?.close();
      roster.leave();
      await outlet.close();
      await link.close();
    },
  };
}

function startParts(shared: SharedConfig, meters: Meters, logger: Logger): Parts {
  const { farm, uid, spool: spoolConfig } = shared;
  const spool = openSpool(
    {
      file: spoolConfig.file,
      maxBytes: spoolConfig.max_mb * 1_000_000,
      maxAgeMs: spoolConfig.max_age_days * 86_400_000,
    },
    logger,
  );
  const link = connectLink({
    ...shared.mqtt,
    clientId: `gateway-${farm}-${uid}`,
    will: { topic: gatewayTopic(farm, uid), payload: gatewayWill },
    logger,
  });
  const outlet = createOutlet(spool, link, logger, {
    commitMs: spoolConfig.commit_ms,
    backlogPerS: spoolConfig.backlog_per_s,
    keepAcknowledgedMs: spoolConfig.keep_acknowledged_seconds * 1000,
  });
  const latest = outlet.recall('clock/latest');
  const clock = createClock({ ...shared.clock, latest: typeof latest === 'number' ? latest : 0 });
  const roster = createRoster(shared, link, logger);
  link.onTrouble((what, detail) => roster.trouble(`broker/${what}`, detail));
  const commands = createCommands({ farm, link, roster, outlet, clock, logger });
  return { shared, outlet, link, clock, roster, commands, meters, logger };
}

/** The parts as protocols see them. */
function servicesOf({ shared, outlet, clock, roster, commands, meters, logger }: Parts): Services {
  return {
    logger,
    farm: shared.farm,
    gateway: shared.uid,
    publish: (address, envelope, remember) => {
      const { isSynchronised } = clock.now();
      const points = isSynchronised
        ? envelope.points
        : envelope.points.map((point) => ({ ...point, q: point.q ?? 3 }));
      const at = isSynchronised ? new Date(envelope.at).getTime() : 0;
      const topic = buildTopic({ ...address, messageType: 'data' });
      return outlet.publish({ topic, payload: JSON.stringify({ ...envelope, points }), at }, remember);
    },
    publishRaw: (topic, payload) => outlet.publish({ topic, payload, at: clock.now().at }),
    recall: (key) => outlet.recall(key),
    remember: (key, value) => outlet.remember(key, value),
    report: (address, state, detail) => roster.report(address, state, detail),
    forget: (address) => roster.forget(address),
    trouble: (what, detail) => roster.trouble(what, detail),
    onCommand: (address, execute) => commands.onCommand(address, execute),
    count: (name, labels, by) => meters.count(name, labels, by),
    gauge: (name, labels, value) => meters.gauge(name, labels, value),
  };
}

function startHealthPage({ shared, outlet, link, clock, roster, meters, logger }: Parts) {
  if (shared.health === undefined) return undefined;
  return startHealth(
    shared.health,
    {
      metrics: () => meters.text(flatCounts(outlet.counts(), roster.counts(), link)),
      ready: () => ({
        status:
          link.isReady() && outlet.counts().writeErrors === 0 ? ('ready' as const) : ('degraded' as const),
        broker: link.isReady(),
        spool: outlet.counts(),
        devices: roster.counts(),
        troubles: roster.troubles(),
        clock_synchronised: clock.now().isSynchronised,
      }),
    },
    logger,
  );
}

function flatCounts(
  spool: OutletCounts,
  devices: Readonly<Record<'online' | 'degraded' | 'offline', number>>,
  link: Pick<Link, 'isReady' | 'counts'>,
) {
  return {
    broker_connected: link.isReady() ? 1 : 0,
    publish_refused_total: link.counts().refused,
    session_taken_over_total: link.counts().takenOver,
    spool_waiting: spool.waiting,
    spool_bytes: spool.bytes,
    spool_dropped_total: spool.dropped,
    spool_unstored: spool.unstored,
    spool_write_errors: spool.writeErrors,
    messages_acknowledged_total: spool.acknowledged,
    messages_repeated_total: spool.repeated,
    devices_online: devices.online,
    devices_degraded: devices.degraded,
    devices_offline: devices.offline,
    process_uptime_seconds: process.uptime(),
  };
}
