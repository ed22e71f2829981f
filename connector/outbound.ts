// The way out: Odoo client, outbox worker, and the alert when Odoo refuses us.
import type { Registry } from 'prom-client';
import { messageOf } from '../contract/errors.ts';
import type { Logger } from '../contract/runtime/logger.ts';
import type { ConnectorConfig } from './config.ts';
import type { Db } from './db/pool.ts';
import { setIntegrationAlert } from './integration-alert.ts';
import type { LiveEvent } from './live/hub.ts';
import { createOdooClient } from './odoo/client.ts';
import { createOutboxMetrics } from './outbox/metrics.ts';
import { createOutboxWorker, type OutboxWorker } from './outbox/worker.ts';

/** Makes the worker; without odoo.url the records wait. Throws AppError `invalid` for an address that cannot work. */
export function createOutbound(
  config: ConnectorConfig['odoo'],
  db: Db,
  registry: Registry,
  broadcast: (event: LiveEvent) => void,
  logger: Logger,
): OutboxWorker {
  const client =
    config.url === ''
      ? undefined
      : createOdooClient({
          url: config.url,
          database: config.database,
          login: config.login,
          apiKey: config.api_key,
          transport: config.transport,
          timeoutMs: config.timeout_seconds * 1000,
        });
  const alert = (detail: string | undefined) => {
    setIntegrationAlert(db, detail).catch((error: unknown) => {
      logger.warn({ error: messageOf(error) }, 'integration alert not stored');
    });
  };
  let answered = false;
  return createOutboxWorker({
    db,
    client,
    logger,
    options: { batchSize: config.batch_size, leaseMs: config.timeout_seconds * 2_000 },
    metrics: createOutboxMetrics(registry),
    onResult(kind, sourceId, result) {
      broadcast({ type: 'odoo', kind, source_id: sourceId, result });
      // An alert that an earlier run raised is over as soon as Odoo takes a record.
      if (!answered) alert(undefined);
      answered = true;
    },
    onDenied: alert,
    onRecovered: () => alert(undefined),
  });
}
