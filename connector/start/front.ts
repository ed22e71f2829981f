// What stands towards people and Odoo: REST, live socket, outbox and the link with Odoo. It needs no database to start.
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { createCommandDesk, type CommandDesk } from '../commands/desk.ts';
import type { ConnectorConfig } from '../config/load.ts';
import type { Pools } from './database.ts';
import type { CommandRow } from '../db/commands.ts';
import type { NewsChannel } from '../db/listen.ts';
import { outboxNews } from '../db/news.ts';
import type { PublishedMilking } from '../ingest/milkings.ts';
import type { Library } from '../config/library.ts';
import { createLiveHub } from '../live/hub.ts';
import type { PipelineMetrics } from '../ingest/metrics.ts';
import { createOdooLink, type OdooLink } from './odoo-link.ts';
import { mappedKinds } from '../odoo/foreign/mappings.ts';
import { loadOdooMapping } from '../odoo/foreign/schema.ts';
import { createOutbound } from './outbound.ts';
import { idempotency } from '../rest/idempotency.ts';
import { allRoutes } from '../rest/routes.ts';
import { createApp, listen } from '../rest/server.ts';
import { restSettings } from './settings.ts';
import { queueUp, type Turn } from './standby.ts';
import type { ConnectorState } from './state.ts';
import { pullKinds } from '../sync/records.ts';

/** What the front works with. */
export interface FrontContext extends Pools {
  config: ConnectorConfig;
  library: Library;
  metrics: PipelineMetrics;
  state: ConnectorState;
}

/** The front. */
export interface Front {
  odoo: OdooLink;
  commands: CommandDesk;
  /** What it wants to hear of the database. */
  news: readonly NewsChannel[];
  /** Milkings were committed: whoever watches live gets them. Odoo's way is the outbox, see `news`. */
  onPublished: (milkings: readonly PublishedMilking[]) => void;
  /** Commands to devices came further. */
  onCommands: (commands: readonly CommandRow[]) => void;
  /** From here on records go to Odoo and come from it; the database has to answer. */
  startOdoo(): void;
}

/** Starts REST at once: health has to answer while the database is still away. Throws when the port is taken. */
export async function startFront(context: FrontContext, shutdown: Shutdown, logger: Logger): Promise<Front> {
  const { config, db, queryDb, library, metrics, state } = context;
  const { registry } = metrics;
  const mapping =
    config.odoo.mapping_file === '' ? undefined : loadOdooMapping(config.odoo.mapping_file, process.env);
  const onCommands = (changed: readonly CommandRow[]) => {
    if (changed.length > 0) outbound.wake();
    for (const command of changed) hub.broadcast({ type: 'command', ...command });
  };
  const publish = () => state.mqtt?.publish;
  const commands = createCommandDesk({ db, publish, onChanged: onCommands, logger });
  shutdown.onRelease('commands', () => commands.stop());
  const odoo = createOdooLink({
    config: config.odoo,
    db,
    registry,
    profileOf: (name) => library.profiles.get(name),
    commands,
    hasAddons: mapping?.addons !== false,
    onOutbox: () => outbound.wake(),
    isMyTurn: () => turn?.isMine() ?? true,
    logger,
  });
  let turn: Turn | undefined;
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
  const parts = {
    db,
    queryDb,
    library,
    metrics,
    state,
    outbound,
    odoo: odoo.desk,
    odooWarnings: odoo.warnings,
    commands,
  };
  const app = createApp(
    allRoutes(parts, routeSettings),
    { token: config.rest.token, limits, aroundPost: idempotency(db, logger) },
    logger,
  );
  const { hostname, port } = new URL(config.rest.url);
  const server = await listen(app, config.rest.host || hostname, Number(port || '80'), logger);
  const hub = createLiveHub(server, config.rest.token, logger);
  shutdown.onRelease('rest', () => {
    hub.stop();
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  logger.info({ listen: config.rest.url }, 'REST listens');

  return {
    odoo,
    news: [outboxNews(() => outbound.wake()), ...odoo.news],
    commands,
    onCommands,
    onPublished(milkings) {
      for (const { source_id, revision, record } of milkings) {
        hub.broadcast({ type: 'milking', source_id, revision, record });
      }
    },
    startOdoo() {
      // Of those on MQTT only the leader gets this far; members of a group all do.
      if (config.intake.source === 'kafka' && odoo.client !== undefined) {
        const mine = queueUp(
          { url: config.database.url, name: 'odoo' },
          () => odoo.desk.wake(pullKinds),
          logger,
        );
        turn = mine;
        shutdown.onRelease('turn', () => mine.stop());
      }
      outbound.start();
      shutdown.onRelease('outbox', () => outbound.stop());
      odoo.start();
      shutdown.onRelease('odoo', () => odoo.stop());
    },
  };
}
