// The routes as the connector's own assembly makes them from the delivered configuration. Nothing runs, nothing is asked.
import { pino } from 'pino';
import { openLibrary } from '../../../connector/config/library.ts';
import { loadConfig } from '../../../connector/config/load.ts';
import { createMetrics } from '../../../connector/ingest/metrics.ts';
import type { Route } from '../../../connector/rest/route.ts';
import { openPools } from '../../../connector/start/database.ts';
import { createFront } from '../../../connector/start/front.ts';
import { createState } from '../../../connector/start/state.ts';
import { createShutdown } from '../../../contract/runtime/shutdown.ts';

/** All routes that the connector serves. */
export function productRoutes(): Route[] {
  const logger = pino({ level: 'silent' });
  const environment = {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    MQTT_URL: 'mqtt://127.0.0.1:1',
    CONNECTOR_TOKEN: 'a-token-that-nobody-asks-for',
  };
  const library = openLibrary('config/metrics.yaml', 'config/profiles', logger);
  const config = loadConfig('config/connector.yaml', environment, library.profiles);
  const context = {
    config,
    library,
    metrics: createMetrics(() => ({ messages: 0, bytes: 0 })),
    state: createState(),
    environment,
    ...openPools(config.database, createShutdown(logger), logger),
  };
  const { features, hub } = createFront(context, logger);
  hub.stop();
  return features.flatMap(({ routes }) => routes);
}
