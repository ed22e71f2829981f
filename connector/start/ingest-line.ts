// The line from a message to its committed row: writer, decoding, quality watch and intake, put together.
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import type { ConnectorConfig } from '../config/load.ts';
import { loadStamps } from '../db/arrival-stamps.ts';
import type { CommandRow } from '../db/commands.ts';
import {
  loadDimensions,
  putDevices,
  putMetrics,
  rememberDevices,
  type Dimensions,
} from '../db/dimensions.ts';
import { followNews, type NewsChannel } from '../db/listen.ts';
import { deviceNews, limitNews } from '../db/news.ts';
import { inTransaction, toDatabaseError, type Db } from '../db/pool.ts';
import { createArrivalClock, type ArrivalClock } from '../ingest/arrival-clock.ts';
import { startIntake, type Intake } from '../ingest/intake.ts';
import { withNews } from '../sources/kafka-notify.ts';
import type { MilkingSettings, PublishedMilking } from '../ingest/milkings.ts';
import { createWriter } from '../ingest/writer.ts';
import { openNotifier } from './sources.ts';
import type { Library } from '../config/library.ts';
import { registerClockGauge } from './gauges.ts';
import type { PipelineMetrics } from '../ingest/metrics.ts';
import { createClockWatch } from '../quality/clock.ts';
import { createQualityWatch } from '../quality/watch.ts';
import { configuredDevices, decodeSettings, intakeLimits } from './settings.ts';
import type { Gate } from './standby.ts';
import type { ConnectorState } from './state.ts';

/** What the line works with. */
export interface LineContext {
  config: ConnectorConfig;
  db: Db;
  library: Library;
  metrics: PipelineMetrics;
  state: ConnectorState;
  gate: Gate;
  milkings: MilkingSettings;
  /** What else is to be heard of the database. */
  news: readonly NewsChannel[];
  onPublished: (milkings: readonly PublishedMilking[]) => void;
  onCommands: (commands: readonly CommandRow[]) => void;
}

/** The line. */
export interface IngestLine {
  intake: Intake;
  clock: ArrivalClock;
  dimensions: Dimensions;
  /** When devices were last heard, by device id, since the last call. */
  takeSeen: () => ReadonlyMap<number, number>;
  /** How far devices' clocks are off, by device id, in seconds, where that has changed since the last call. */
  takeClockOffsets: () => ReadonlyMap<number, number>;
}

/** Builds the line over a database that is ready. Nothing comes in before a source delivers to its intake. */
export async function startIngestLine(
  context: LineContext,
  shutdown: Shutdown,
  logger: Logger,
): Promise<IngestLine> {
  const { config, db, library, metrics, state, gate, milkings, news } = context;
  const { onPublished, onCommands } = context;
  const { leadership } = state;
  const { catalogue: loaded } = library;
  const dimensions = await loadDimensions(db, loaded);
  rememberDevices(
    dimensions,
    await inTransaction(db, (client) => putDevices(client, configuredDevices(config))),
  );
  const limits = limitNews(db, milkings.limits, logger);
  await limits.onListening();
  const channels = [deviceNews(db, dimensions, logger), limits, ...news];
  shutdown.onRelease('news', followNews(config.database.url, channels, logger));

  const store = createWriter({
    db,
    dimensions,
    unknownDevices: config.intake.unknown_devices,
    milkings,
    logger,
    ...(leadership === undefined ? {} : { fence: leadership.fence }),
  });
  const write = config.kafka.notify ? withNews(store, openNotifier(config, shutdown, logger)) : store;
  const decoding = decodeSettings(config, library, dimensions);
  const watch = createQualityWatch(library.catalogue);
  library.beforeUse(async ({ catalogue }) => {
    // First the ids of new metrics: without one a value would be left out.
    dimensions.metricIds = await putMetrics(db, catalogue).catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    watch.use(catalogue);
  });
  if (library.catalogue !== loaded) dimensions.metricIds = await putMetrics(db, library.catalogue);
  // A group asks for the stamps that it needs, see createIntakeSource.
  const stamps = config.intake.source === 'kafka' ? new Map<string, never>() : await loadStamps(db);
  const clock = createArrivalClock(stamps);
  const clocks = createClockWatch(config.intake.clock_tolerance_seconds * 1_000);
  registerClockGauge(metrics.registry, () => clocks.counts());
  const seen = new Map<number, number>();
  const { detail: edition } = state.database;
  const intake = startIntake(
    write,
    decoding,
    { clock, clocks, watch },
    intakeLimits(config),
    {
      onBatch(result, items, durationMs) {
        metrics.onBatch(result, items, durationMs);
        for (const [id, at] of result.seen) seen.set(id, at);
        onPublished(result.published);
        onCommands(result.commands);
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
    },
    logger,
  );
  shutdown.onRelease('intake', () => intake.stop());
  state.intake = intake;
  state.ingest = { intake, rows: decoding };
  return {
    intake,
    clock,
    dimensions,
    takeSeen() {
      const taken = new Map(seen);
      seen.clear();
      return taken;
    },
    takeClockOffsets() {
      const offsets = new Map<number, number>();
      for (const [key, seconds] of clocks.takeOffsets()) {
        const device = dimensions.devices.get(key);
        if (device !== undefined) offsets.set(device.id, seconds);
      }
      return offsets;
    },
  };
}
