// The connector: messages in, TimescaleDB, records out to Odoo. This file lists the parts and puts them together.
import { atMost, readArgs, runCommand } from '../contract/runtime/command-line.ts';
import { createLogger } from '../contract/runtime/logger.ts';
import { runMain, type Shutdown } from '../contract/runtime/shutdown.ts';
import { followLibrary, openLibrary } from './config/library.ts';
import { loadConfig } from './config/load.ts';
import { followNews } from './db/listen.ts';
import { createMetrics } from './ingest/metrics.ts';
import { createJobMetrics } from './jobs/metrics.ts';
import { startJobs } from './jobs/scheduler.ts';
import { runBridge } from './start/bridge.ts';
import { openPools, prepareDatabase } from './start/database.ts';
import { startFront } from './start/front.ts';
import { registerGauges } from './start/gauges.ts';
import { startIngestLine } from './start/ingest-line.ts';
import { standingJobs } from './start/jobs.ts';
import { createIntakeSource } from './start/sources.ts';
import { awaitTurn, createGate } from './start/standby.ts';
import { createState } from './start/state.ts';

const logger = createLogger('connector');

const usage = `Usage: node connector/main.ts [--config FILE] [--metrics FILE] [--profiles FOLDER]
  --config    config/connector.yaml; every key is in docs/configuration.md
  --metrics   config/metrics.yaml
  --profiles  config/profiles
  What the files name as \${NAME} comes from the environment; npm start sets it.`;

interface Files {
  config: string;
  metrics: string;
  profiles: string;
}

await runCommand(usage, (args) => {
  const { values, positionals } = readArgs(args, {
    config: { type: 'string', default: 'config/connector.yaml' },
    metrics: { type: 'string', default: 'config/metrics.yaml' },
    profiles: { type: 'string', default: 'config/profiles' },
  });
  atMost(0, positionals);
  runMain(logger, (shutdown) => start(values, shutdown));
});

async function start(args: Files, shutdown: Shutdown): Promise<void> {
  const environment = process.env;
  const library = openLibrary(args.metrics, args.profiles, logger);
  const config = loadConfig(args.config, environment, library.profiles);
  logger.level = config.log.level;
  // Devices of the configuration may name profiles: those have to stay.
  library.beforeUse(({ profiles }) => void loadConfig(args.config, environment, profiles));
  followLibrary(library, shutdown);
  if (config.role === 'bridge') return runBridge(config, shutdown, logger);

  const state = createState();
  const metrics = createMetrics(() => state.intake?.pending() ?? { messages: 0, bytes: 0 });
  const pools = openPools(config.database, shutdown, logger);
  const context = { config, library, metrics, state, environment, ...pools };
  registerGauges(metrics.registry, context);
  const front = await startFront(context, shutdown, logger);

  await prepareDatabase(context, shutdown, logger);
  const gate = createGate(() => state.mqtt, logger);
  await awaitTurn(context, gate, shutdown, logger);

  const line = await startIngestLine({ ...context, gate, live: front.live }, shutdown, logger);
  shutdown.onRelease('intake', () => line.stop());
  const features = [line, standingJobs(context, logger), ...front.features];
  const news = features.flatMap((feature) => feature.news);
  shutdown.onRelease('news', followNews(config.database.url, news, logger));
  front.startOdoo();

  const jobs = features.flatMap((feature) => feature.jobs);
  const onRun = createJobMetrics(metrics.registry);
  shutdown.onRelease('jobs', startJobs(jobs, { databaseUrl: config.database.url, onRun, logger }));

  state.mqtt = await createIntakeSource({ ...context, ...line }, shutdown, logger);
  gate.open('start');
}
