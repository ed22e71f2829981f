// The connector: messages in, TimescaleDB, records out to Odoo. This file lists the parts and puts them together.
import { parseArgs } from 'node:util';
import { createLogger } from '../contract/runtime/logger.ts';
import { runMain } from '../contract/runtime/shutdown.ts';
import { runBridge } from './start/bridge.ts';
import { loadConfig } from './config/load.ts';
import { openPools, prepareDatabase } from './start/database.ts';
import { startFront } from './start/front.ts';
import { registerGauges } from './start/gauges.ts';
import { startIngestLine } from './start/ingest-line.ts';
import { createIntakeSource } from './start/sources.ts';
import { createJobMetrics } from './jobs/metrics.ts';
import { followLibrary, openLibrary } from './config/library.ts';
import { maintenanceJobs } from './jobs/maintenance.ts';
import { createMetrics } from './ingest/metrics.ts';
import { presenceJob } from './alerts/presence.ts';
import { startJobs } from './jobs/scheduler.ts';
import { milkingSettings, presenceSettings } from './start/settings.ts';
import { awaitLeadership, createGate } from './start/standby.ts';
import { createState } from './start/state.ts';
import { storageJobs } from './jobs/storage.ts';

const logger = createLogger('connector');

runMain(logger, async (shutdown) => {
  const { values: args } = parseArgs({
    options: { config: { type: 'string', default: 'config/connector.yaml' } },
  });
  const library = openLibrary('config/metrics.yaml', 'config/profiles', logger);
  const config = loadConfig(args.config, process.env, library.profiles);
  // Devices of the configuration may name profiles: those have to stay.
  library.beforeUse(({ profiles }) => void loadConfig(args.config, process.env, profiles));
  followLibrary(library, shutdown);
  if (config.role === 'bridge') return runBridge(config, shutdown, logger);

  const state = createState();
  const metrics = createMetrics(() => state.intake?.pending() ?? { messages: 0, bytes: 0 });
  const pools = openPools(config.database, shutdown, logger);
  const { db } = pools;
  registerGauges(metrics.registry, { ...pools, state, library });
  const front = await startFront({ config, ...pools, library, metrics, state }, shutdown, logger);

  const edition = await prepareDatabase(db, config, state, shutdown, logger);
  logger.info({ edition }, 'database ready');

  const gate = createGate(() => state.mqtt, logger);
  // Members of a group share the messages of the log; of those on MQTT one takes them all, and the others wait here.
  if (config.intake.source === 'mqtt') {
    const lock = { url: config.database.url, name: `mqtt:${config.mqtt.client_id}` };
    await awaitLeadership(lock, gate, (contender) => (state.leadership = contender), shutdown, logger);
  }

  const { news, onPublished, onCommands } = front;
  const milkings = milkingSettings(config);
  const line = await startIngestLine(
    { config, db, library, metrics, state, gate, milkings, news, onPublished, onCommands },
    shutdown,
    logger,
  );
  front.startOdoo();

  const jobs = [
    ...maintenanceJobs({
      db,
      dimensions: line.dimensions,
      milkings,
      silenceSeconds: config.milk.silence_seconds,
      sentDays: config.retention.sent_days,
      deadLetterDays: config.retention.dead_letter_days,
      takeSeen: line.takeSeen,
      takeClockOffsets: line.takeClockOffsets,
      onPublished(published) {
        metrics.onMilkings(published.length);
        onPublished(published);
      },
    }),
    ...storageJobs({ db, archiveFolder: config.storage.archive_folder, logger }),
    presenceJob(db, presenceSettings(config)),
    ...front.commands.jobs,
    ...front.odoo.jobs,
  ];
  const onRun = createJobMetrics(metrics.registry);
  shutdown.onRelease('jobs', startJobs(jobs, { databaseUrl: config.database.url, onRun, logger }));

  state.mqtt = await createIntakeSource({ config, db, ...line }, shutdown, logger);
  gate.open('start');
});
