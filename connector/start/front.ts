// What stands towards people and Odoo: REST, live socket, outbox and the link with Odoo. It needs no database to start.
import type { Server } from 'node:http';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { pullKinds } from '../db/pulled/index.ts';
import { createLiveHub, type LiveHub } from '../live/hub.ts';
import { tellLive, type LiveRecords } from '../live/records.ts';
import { mappedKinds } from '../odoo/foreign/mappings.ts';
import { loadOdooMapping } from '../odoo/foreign/schema.ts';
import { idempotency } from '../rest/idempotency.ts';
import { liveDoor } from '../rest/live-door.ts';
import { countFailedLogins, type FailedLogins } from '../rest/rate-limit.ts';
import type { Route } from '../rest/route.ts';
import { createApp, listen } from '../rest/server.ts';
import { systemSources } from '../rest/sources.ts';
import { systemRoutes } from '../rest/system-routes.ts';
import { commandFeature, intakeDoor, queryFeature } from './api.ts';
import { feature, type Context, type Feature } from './context.ts';
import { openOdoo } from './odoo-client.ts';
import { createOdooLink, tellPulling, type OdooLink } from './odoo-link.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { restSettings } from './settings.ts';
import { queueUp, type Turn } from './standby.ts';

/** The front. */
export interface Front {
  features: readonly Feature[];
  live: LiveRecords;
  /** From here on records go to Odoo and come from it; the database has to answer. */
  startOdoo(): void;
}

/** Starts REST at once: health has to answer while the database is still away. Throws when the port is taken. */
export async function startFront(context: Context, shutdown: Shutdown, logger: Logger): Promise<Front> {
  const { features, hub, logins, live, commands, turn, outbound, link } = createFront(context, logger);
  shutdown.onRelease('commands', () => commands.stop());
  const routes = features.flatMap((each) => each.routes);
  const server = await serve(routes, context, logins, logger);
  hub.serve(server);
  shutdown.onRelease('rest', () => stopServing(server, hub));
  logger.info({ listen: context.config.rest.url }, 'REST listens');

  return {
    features,
    live,
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

/** The front before it runs. */
interface FrontParts {
  /** In the order in which the API is described. */
  features: readonly Feature[];
  hub: LiveHub;
  /** Of the live stream as of the routes. */
  logins: FailedLogins;
  live: LiveRecords;
  commands: Feature;
  turn: Turn;
  outbound: Outbound;
  link: OdooLink;
}

/** Makes the front; nothing runs yet. */
export function createFront(context: Context, logger: Logger): FrontParts {
  const { config, metrics } = context;
  const { token, max_live_listeners: listeners } = config.rest;
  const logins = countFailedLogins(restSettings(config).limits);
  const hub = createLiveHub(liveDoor({ token, listeners, logins }), logger);
  const live = tellLive(hub);
  const commands = commandFeature(context, live, logger);

  const mapping =
    config.odoo.mapping_file === ''
      ? undefined
      : loadOdooMapping(config.odoo.mapping_file, context.environment);
  const hasAddons = mapping?.addons !== false;
  const access = openOdoo(config.odoo, context.db, hasAddons);
  const kinds = mappedKinds(mapping);
  const outbound = createOutbound({ ...context, access, kinds, hub }, metrics.registry, logger);
  const turn = pullTurn(context, access.client !== undefined, logger);
  const link = createOdooLink({ ...context, access, hasAddons, commands: commands.desk, turn }, logger);

  const sources = systemSources({ ...context, outbound, odooWarnings: link.warnings });
  const system = feature({ routes: systemRoutes(sources) });
  const features = [system, intakeDoor(context), queryFeature(context), commands, outbound, link];
  return { features, hub, logins, live, commands, turn, outbound, link };
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

async function serve(
  routes: readonly Route[],
  { config, db }: Context,
  logins: FailedLogins,
  logger: Logger,
): Promise<Server> {
  const { token, farm_tokens: farmTokens, url, host, trusted_proxies: trustedProxies } = config.rest;
  const { limits, connections } = restSettings(config);
  const aroundPost = idempotency(db, logger);
  const app = createApp(routes, { token, farmTokens, limits, logins, trustedProxies, aroundPost }, logger);
  const { hostname, port } = new URL(url);
  return listen(app, { host: host || hostname, port: Number(port || '80') }, connections, logger);
}

function stopServing(server: Server, hub: LiveHub): Promise<void> {
  hub.stop();
  server.closeAllConnections();
  return new Promise<void>((resolve) => server.close(() => resolve()));
}
