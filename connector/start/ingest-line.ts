// The line from a message to its committed row: writer, decoding, quality watch and intake, put together.
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { loadStamps } from '../db/arrival-stamps.ts';
import {
  loadDimensions,
  putDevices,
  putMetrics,
  rememberDevices,
  type Dimensions,
} from '../db/dimensions.ts';
import type { NewsChannel } from '../db/listen.ts';
import { deviceNews, limitNews, zoneNews } from '../db/news.ts';
import { inTransaction, toDatabaseError } from '../db/pool.ts';
import { createArrivalClock, type ArrivalClock } from '../ingest/arrival-clock.ts';
import { unreadOf } from '../ingest/item.ts';
import { startIntake, type Intake, type IntakeHooks } from '../ingest/intake.ts';
import type { MilkingSettings } from '../ingest/publish-milkings.ts';
import { createWriter } from '../ingest/writer.ts';
import { maintenanceJobs } from '../jobs/maintenance.ts';
import type { LiveRecords } from '../live/records.ts';
import { createClockWatch, type ClockWatch } from '../quality/clock.ts';
import { createQualityWatch, type QualityWatch } from '../quality/watch.ts';
import { createFarmZones, type FarmZones } from '../rules/zones.ts';
import { withNews } from '../sources/kafka-notify.ts';
import { feature, type Context, type Feature } from './context.ts';
import { registerClockGauge } from './gauges.ts';
import {
  configuredDevices,
  decodeSettings,
  intakeLimits,
  intakeQuotas,
  milkingSettings,
} from './settings.ts';
import { openNotifier } from './sources.ts';
import type { Gate } from './standby.ts';

/** What the line works with. */
export interface LineContext extends Context {
  gate: Gate;
  live: LiveRecords;
}

/** The line. */
export interface IngestLine extends Feature {
  intake: Intake;
  clock: ArrivalClock;
}

/** Builds the line over a database that is ready. Nothing comes in before a source delivers to its intake. */
export async function startIngestLine(
  context: LineContext,
  shutdown: Shutdown,
  logger: Logger,
): Promise<IngestLine> {
  const { config, db, library, metrics, state } = context;
  const mostYieldKg = () => library.catalogue.get('milk_yield')?.max ?? Infinity;
  const zones = createFarmZones();
  const milkings = { ...milkingSettings(config, zones), mostYieldKg };
  const watch = createQualityWatch(library.catalogue);
  const dimensions = await openDimensions(context, watch);
  const news = await memoryNews(context, { dimensions, milkings, zones }, logger);
  // A group asks for the stamps that it needs, see createIntakeSource.
  const stamps = config.intake.source === 'kafka' ? new Map<string, never>() : await loadStamps(db);
  const clock = createArrivalClock(stamps);
  const clocks = createClockWatch(config.intake.clock_tolerance_seconds * 1_000);
  registerClockGauge(metrics.registry, () => clocks.counts());
  const seen = new Map<number, number>();
  const unread = new Map<string, string>();
  const decoding = decodeSettings(config, library, dimensions, zones);
  const intake = startIntake(
    openWriter(context, { dimensions, milkings, clock }, shutdown, logger),
    decoding,
    { clock, clocks, watch },
    intakeLimits(config),
    intakeHooks(context, { seen, unread }),
    logger,
  );
  state.intake = intake;
  state.ingest = { intake, rows: decoding };
  const jobs = lineJobs(context, { dimensions, milkings, seen, unread, clocks });
  return { ...feature({ jobs, news, stop: () => intake.stop() }), intake, clock };
}

/** Devices and metrics as the line knows them, kept up with the configuration's files. */
async function openDimensions({ config, db, library }: Context, watch: QualityWatch): Promise<Dimensions> {
  const { catalogue: loaded } = library;
  const dimensions = await loadDimensions(db, loaded);
  rememberDevices(
    dimensions,
    await inTransaction(db, (client) => putDevices(client, configuredDevices(config))),
  );
  library.beforeUse(async ({ catalogue }) => {
    // First the ids of new metrics: without one a value would be left out.
    dimensions.metricIds = await putMetrics(db, catalogue).catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    watch.use(catalogue);
  });
  if (library.catalogue !== loaded) {
    dimensions.metricIds = await putMetrics(db, library.catalogue);
    watch.use(library.catalogue);
  }
  return dimensions;
}

/** News that keep what is in memory as it is in the database. */
async function memoryNews(
  { db }: Context,
  { dimensions, milkings, zones }: Pick<LineMemory, 'dimensions' | 'milkings'> & { zones: FarmZones },
  logger: Logger,
): Promise<NewsChannel[]> {
  const limits = limitNews(db, milkings.limits, logger);
  const farms = zoneNews(db, zones, logger);
  await limits.onListening();
  await farms.onListening();
  return [deviceNews(db, dimensions, logger), limits, farms];
}

function openWriter(
  { config, db, state }: Context,
  { dimensions, milkings, clock }: Pick<LineMemory, 'dimensions' | 'milkings'> & { clock: ArrivalClock },
  shutdown: Shutdown,
  logger: Logger,
): ReturnType<typeof createWriter> {
  const { leadership } = state;
  const store = createWriter({
    db,
    dimensions,
    unknownDevices: config.intake.unknown_devices,
    quotas: intakeQuotas(config),
    milkings,
    voidedStamps: () => clock.voided(),
    logger,
    ...(leadership === undefined ? {} : { fence: leadership.fence }),
  });
  return config.kafka.notify ? withNews(store, openNotifier(config, shutdown, logger)) : store;
}

function intakeHooks(
  { metrics, live, state, gate }: LineContext,
  { seen, unread }: Pick<LineMemory, 'seen' | 'unread'>,
): IntakeHooks {
  const { detail: edition } = state.database;
  return {
    onBatch(result, items, durationMs) {
      metrics.onBatch(result, items, durationMs);
      for (const [id, at] of result.seen) seen.set(id, at);
      for (const [key, field] of unreadOf(items)) unread.set(key, field);
      live.milkings(result.published);
      live.commands(result.commands);
    },
    onDatabaseDown(detail) {
      state.database = { ok: false, detail };
      // Leave the broker cleanly: it keeps what arrives, and nothing waits past its keepalive here.
      gate.close('database');
    },
    onDatabaseUp() {
      state.database = { ok: true, detail: edition };
      gate.open('database');
    },
  };
}

interface LineMemory {
  dimensions: Dimensions;
  milkings: MilkingSettings;
  /** When devices were last heard, by device id. */
  seen: Map<number, number>;
  /** What could not be read of devices' messages, by device. */
  unread: Map<string, string>;
  clocks: ClockWatch;
}

function lineJobs({ config, db, metrics, live }: LineContext, memory: LineMemory): Feature['jobs'] {
  const { dimensions, milkings, seen, unread, clocks } = memory;
  return maintenanceJobs({
    db,
    dimensions,
    milkings,
    silenceSeconds: config.milk.silence_seconds,
    sentDays: config.retention.sent_days,
    deadLetterDays: config.retention.dead_letter_days,
    takeSeen() {
      const taken = new Map(seen);
      seen.clear();
      return taken;
    },
    takeUnread() {
      const taken = byDevice(unread, dimensions);
      unread.clear();
      return taken;
    },
    takeClockOffsets() {
      return byDevice(clocks.takeOffsets(), dimensions);
    },
    onClosed(closed) {
      metrics.onMilkings(closed.length);
      live.milkings(closed);
    },
  });
}

/** By device id what is known by its key; of devices that are not registered nothing. */
function byDevice<T>(known: ReadonlyMap<string, T>, dimensions: Dimensions): ReadonlyMap<number, T> {
  const found = new Map<number, T>();
  for (const [key, value] of known) {
    const device = dimensions.devices.get(key);
    if (device !== undefined) found.set(device.id, value);
  }
  return found;
}
