// What stands towards people and Odoo: REST, live socket, outbox and the link with Odoo. It needs no database to start.
import type { Server } from 'node:http';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { createCommandDesk } from '../commands/desk.ts';
import { outboxNews } from '../db/news.ts';
import { pullKinds } from '../db/pulled/index.ts';
import { createLiveHub, type LiveHub } from '../live/hub.ts';
import { tellLive, type LiveRecords } from '../live/records.ts';
import { mappedKinds } from '../odoo/foreign/mappings.ts';
import { loadOdooMapping } from '../odoo/foreign/schema.ts';
import { idempotency } from '../rest/idempotency.ts';
import type { Route } from '../rest/route.ts';
import { allRoutes } from '../rest/routes.ts';
import { createApp, listen } from '../rest/server.ts';
import type { Context, Feature } from './context.ts';
import { openOdoo } from './odoo-client.ts';
import { createOdooLink, tellPulling } from './odoo-link.ts';
import { createOutbound } from './outbound.ts';
import { restSettings } from './settings.ts';
import { queueUp, type Turn } from './standby.ts';

/** The front. */
export interface Front extends Feature {
  live: LiveRecords;
  /** From here on records go to Odoo and come from it; the database has to answer. */
  startOdoo(): void;
}

/** Starts REST at once: health has to answer while the database is still away. Throws when the port is taken. */
export async function startFront(context: Context, shutdown: Shutdown, logger: Logger): Promise<Front> {
  const { config, db, metrics, state } = context;
  const hub = createLiveHub(config.rest.token, logger);
  const live = tellLive(hub);

  const publish = () => state.mqtt?.publish;
  const commands = createCommandDesk({ db, publish, onChanged: live.commands, logger });
  shutdown.onRelease('commands', () => commands.stop());

  const mapping =
    config.odoo.mapping_file === ''
      ? undefined
      : loadOdooMapping(config.odoo.mapping_file, context.environment);
  const access = openOdoo(config.odoo);
  const kinds = mappedKinds(mapping);
  const outbound = createOutbound({ ...context, access, kinds, hub }, metrics.registry, logger);
  const turn = pullTurn(context, access.client !== undefined, logger);
  const hasAddons = mapping?.addons !== false;
  const link = createOdooLink({ ...context, access, hasAddons, commands, turn }, logger);

  const { routeSettings } = restSettings(config);
  const parts = { ...context, outbound, odoo: link.desk, odooWarnings: link.warnings, commands };
  const server = await serve(allRoutes(parts, routeSettings), context, logger);
  hub.serve(server);
  shutdown.onRelease('rest', () => stopServing(server, hub));
  logger.info({ listen: config.rest.url }, 'REST listens');

  return {
    live,
    jobs: [...commands.jobs, ...link.jobs],
    news: [outboxNews(() => outbound.wake()), ...link.news],
    startOdoo() {
      turn.start();
      shutdown.onRelease('turn', () => turn.stop());
      outbound.start();
      shutdown.onRelease('outbox', () => outbound.stop());
      link.start();
      shutdown.onRelease('odoo', () => link.stop());
    },
  };
}

/** Of several connectors one pulls. Of those on MQTT only the leader gets this far; members of a group all do. */
function pullTurn(context: Context, hasOdoo: boolean, logger: Logger): Turn {
  const { config } = context;
  if (config.intake.source !== 'kafka' || !hasOdoo) return alwaysMine;
  const place = { url: config.database.url, name: 'odoo' };
  return queueUp(place, () => tellPulling(context, pullKinds, logger), logger);
}

const alwaysMine: Turn = {
  start: () => undefined,
  isMine: () => true,
  stop: () => Promise.resolve(),
};

async function serve(routes: readonly Route[], { config, db }: Context, logger: Logger): Promise<Server> {
  const { token, url, host } = config.rest;
  const { limits } = restSettings(config);
  const app = createApp(routes, { token, limits, aroundPost: idempotency(db, logger) }, logger);
  const { hostname, port } = new URL(url);
  return listen(app, host || hostname, Number(port || '80'), logger);
}

function stopServing(server: Server, hub: LiveHub): Promise<void> {
  hub.stop();
  server.closeAllConnections();
  return new Promise<void>((resolve) => server.close(() => resolve()));
}
