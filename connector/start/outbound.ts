// The way out: Odoo client, outbox worker, and the alert when Odoo refuses us.
import type { Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { ConnectorConfig } from '../config/load.ts';
import type { Db } from '../db/pool.ts';
import { setIntegrationAlert } from '../alerts/integration.ts';
import type { LiveEvent } from '../live/hub.ts';
import type { RecordMapping } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { createOutboxMetrics } from '../outbox/metrics.ts';
import { createOutboxWorker, type OutboxWorker } from '../outbox/worker.ts';

/** Makes the worker; without a client the records wait. */
export function createOutbound(
  config: ConnectorConfig['odoo'],
  client: OdooClient | undefined,
  kinds: Readonly<Record<string, RecordMapping>>,
  db: Db,
  registry: Registry,
  broadcast: (event: LiveEvent) => void,
  logger: Logger,
): OutboxWorker {
  const alert = (detail: string | undefined) => {
    setIntegrationAlert(db, detail).catch((error: unknown) => {
      logger.warn({ error: messageOf(error) }, 'integration alert not stored');
    });
  };
  let answered = false;
  return createOutboxWorker({
    db,
    client,
    kinds,
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
