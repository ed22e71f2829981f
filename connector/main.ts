// The connector: messages in, TimescaleDB, records out to Odoo. This file lists the parts and puts them together.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLogger } from '../contract/runtime/logger.ts';
import { loadMetrics, loadProfiles } from '../contract/runtime/profiles.ts';
import { runMain, type Shutdown } from '../contract/runtime/shutdown.ts';
import { runBridge } from './bridge.ts';
import { loadConfig, type ConnectorConfig } from './config.ts';
import { setArchiving } from './db/archive.ts';
import { loadStamps } from './db/arrival-stamps.ts';
import { loadDimensions, putDevices, rememberDevices } from './db/dimensions.ts';
import type { Leadership } from './db/leader.ts';
import { followDevices } from './db/listen.ts';
import { migrate } from './db/migrate.ts';
import { inTransaction, openPool, openQueryPool, toDatabaseError, type Db } from './db/pool.ts';
import { setStorage, setTimezone } from './db/storage.ts';
import { registerGauges } from './gauges.ts';
import type { Check } from './health.ts';
import { createQualityWatch } from './quality/watch.ts';
import { createArrivalClock } from './ingest/arrival-clock.ts';
import { startIntake, type Intake } from './ingest/intake.ts';
import type { PublishedMilking } from './ingest/milkings.ts';
import type { MqttSource } from './ingest/mqtt-source.ts';
import { createIntakeSource, openNotifier } from './intake-source.ts';
import { withNews } from './ingest/kafka-notify.ts';
import type { IngestPort } from './ingest/submit.ts';
import { createWriter } from './ingest/writer.ts';
import { createJobMetrics } from './job-metrics.ts';
import { createLiveHub } from './live/hub.ts';
import { maintenanceJobs } from './maintenance.ts';
import { createMetrics } from './metrics.ts';
import { createOdooLink } from './odoo-link.ts';
import { mappedKinds } from './odoo/foreign/mappings.ts';
import { loadOdooMapping } from './odoo/foreign/schema.ts';
import { createOutbound } from './outbound.ts';
import { idempotency } from './rest/idempotency.ts';
import { allRoutes } from './rest/routes.ts';
import { createApp, listen } from './rest/server.ts';
import { startJobs } from './scheduler.ts';
import {
  configuredDevices,
  decodeSettings,
  intakeLimits,
  milkingSettings,
  restSettings,
  rowSettings,
  storageSettings,
} from './settings.ts';
import { awaitLeadership, createGate, shareJobs } from './standby.ts';
import { storageJobs } from './storage-jobs.ts';

const logger = createLogger('connector');

runMain(logger, async (shutdown) => {
  const { values: args } = parseArgs({
    options: { config: { type: 'string', default: 'config/connector.yaml' } },
  });
  const catalogue = loadMetrics('config/metrics.yaml');
  const profiles = loadProfiles('config/profiles', catalogue);
  const config = loadConfig(args.config, process.env, profiles);
  if (config.role === 'bridge') return runBridge(config, shutdown, logger);

  const db = openPool(config.database.url, config.database.pool_size, logger);
  shutdown.onRelease('database', () => db.end());
  // Queries of people have connections of their own: however slow they are, data finds its way in.
  const { query_pool_size: queryPoolSize, query_timeout_seconds: queryTimeoutSeconds } = config.database;
  const queryDb = openQueryPool(config.database.url, queryPoolSize, logger, queryTimeoutSeconds * 1_000);
  shutdown.onRelease('query database', () => queryDb.end());
  const state: ConnectorState = {
    database: { ok: false, detail: 'not asked yet' },
    intake: undefined,
    ingest: undefined,
    mqtt: undefined,
    leadership: undefined,
  };
  const metrics = createMetrics(() => state.intake?.pending() ?? { messages: 0, bytes: 0 });

  registerGauges(metrics.registry, { db, state });

  // REST first: health has to answer while the database is still away.
  const listenUrl = new URL(config.rest.url);
  const { registry } = metrics;
  const mapping =
    config.odoo.mapping_file === '' ? undefined : loadOdooMapping(config.odoo.mapping_file, process.env);
  const odoo = createOdooLink({
    config: config.odoo,
    db,
    registry,
    knowsProfile: (name) => profiles.has(name),
    hasAddons: mapping?.addons !== false,
    publish: () => state.mqtt?.publish,
    onOutbox: () => outbound.wake(),
    logger,
  });
  const outbound = createOutbound(
    config.odoo,
    odoo.client,
    mappedKinds(mapping),
    db,
    registry,
    (event) => hub.broadcast(event),
    logger,
  );
  const { routeSettings, limits } = restSettings(config);
  const app = createApp(
    allRoutes(
      { db, queryDb, metrics, state, outbound, odoo: odoo.desk, odooWarnings: odoo.warnings },
      routeSettings,
    ),
    { token: config.rest.token, limits, aroundPost: idempotency(db, logger) },
    logger,
  );
  const server = await listen(app, config.rest.host || listenUrl.hostname, Number(listenUrl.port || '80'));
  const hub = createLiveHub(server, config.rest.token, logger);
  shutdown.onRelease('rest', () => {
    hub.stop();
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  logger.info({ listen: config.rest.url }, 'REST listens');

  const edition = await openDatabase(db, config, state, shutdown);
  logger.info({ edition }, 'database ready');
  const gate = createGate(() => state.mqtt, logger);
  // Members of a group share the messages of the log; of those on MQTT one takes them all, and the others wait here.
  const inGroup = config.intake.source === 'kafka';
  const lock = { url: config.database.url, name: `mqtt:${config.mqtt.client_id}` };
  const leadership = inGroup
    ? undefined
    : await awaitLeadership(lock, gate, (contender) => (state.leadership = contender), shutdown, logger);
  const dimensions = await loadDimensions(db, catalogue);
  rememberDevices(
    dimensions,
    await inTransaction(db, (client) => putDevices(client, configuredDevices(config))),
  );
  shutdown.onRelease('device news', followDevices(config.database.url, db, dimensions, logger));

  const milkings = milkingSettings(config);
  const seen = new Map<number, number>();
  const onPublished = (published: readonly PublishedMilking[]) => {
    outbound.wake();
    for (const { source_id, revision, record } of published) {
      hub.broadcast({ type: 'milking', source_id, revision, record });
    }
  };
  const store = createWriter({
    db,
    dimensions,
    unknownDevices: config.intake.unknown_devices,
    milkings,
    logger,
    ...(leadership === undefined ? {} : { fence: (client) => leadership.fence(client) }),
  });
  const write = config.kafka.notify ? withNews(store, openNotifier(config, shutdown, logger)) : store;
  const decoding = decodeSettings(config, catalogue, profiles, dimensions);
  // A group asks for the stamps that it needs, see createIntakeSource.
  const clock = createArrivalClock(inGroup ? new Map<string, never>() : await loadStamps(db));
  const intake = startIntake(
    write,
    decoding,
    { clock, watch: createQualityWatch(catalogue) },
    intakeLimits(config),
    {
      onBatch(result, messages, durationMs) {
        metrics.onBatch(result, messages, durationMs);
        for (const [id, at] of result.seen) seen.set(id, at);
        onPublished(result.published);
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
  state.intake = intake;
  state.ingest = { intake, rows: rowSettings(decoding, dimensions) };
  shutdown.onRelease('intake', () => intake.stop());

  outbound.start();
  shutdown.onRelease('outbox', () => outbound.stop());
  odoo.start();
  shutdown.onRelease('odoo', () => odoo.stop());
  const jobs = [
    ...maintenanceJobs({
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
      onPublished(published) {
        metrics.onMilkings(published.length);
        onPublished(published);
      },
    }),
    ...storageJobs({ db, archiveFolder: config.storage.archive_folder, logger }),
    ...odoo.jobs,
  ];
  const jobContext = { databaseUrl: config.database.url, onRun: createJobMetrics(metrics.registry), logger };
  const stopJobs = inGroup ? shareJobs(jobs, jobContext) : startJobs(jobs, jobContext);
  shutdown.onRelease('jobs', stopJobs);
  state.mqtt = await createIntakeSource({ config, db, intake, clock }, shutdown, logger);
  gate.open('start');
});

interface ConnectorState {
  database: Check;
  intake: Intake | undefined;
  ingest: IngestPort | undefined;
  mqtt: MqttSource | undefined;
  leadership: Leadership | undefined;
}

/** Waits for the database as long as it takes, and brings it to this version's schema. */
async function openDatabase(
  db: Db,
  config: ConnectorConfig,
  state: ConnectorState,
  shutdown: Shutdown,
): Promise<string> {
  const abort = new AbortController();
  shutdown.onRelease('database start', () => abort.abort());
  for (let failures = 0; ; failures++) {
    try {
      const edition = await migrate(db, logger, config.database.edition);
      await setStorage(db, storageSettings(config));
      await setTimezone(db, config.milk.timezone);
      await setArchiving(db, config.storage.archive_folder !== '');
      state.database = { ok: true, detail: edition };
      return edition;
    } catch (thrown) {
      const error = toDatabaseError(thrown);
      if (error.kind === 'bug' || error.kind === 'invalid' || abort.signal.aborted) throw error;
      state.database = { ok: false, detail: error.message };
      if (failures === 0)
        logger.warn({ error: error.message }, 'waiting for the database; is DATABASE_URL right?');
      await sleep(Math.min(5_000, 250 * 2 ** failures));
    }
  }
}
