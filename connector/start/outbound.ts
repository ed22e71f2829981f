// The way out: Odoo client, outbox worker, and the alert when Odoo refuses us.
import type { Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { setIntegrationAlert } from '../alerts/integration.ts';
import { outboxNews } from '../db/news.ts';
import type { LiveHub } from '../live/hub.ts';
import type { RecordMapping } from '../odoo/mapping/index.ts';
import { createOutboxMetrics } from '../outbox/metrics.ts';
import { createOutboxWorker, type OutboxWorker } from '../outbox/worker.ts';
import { feature, type Context, type Feature } from './context.ts';
import type { OdooAccess } from './odoo-client.ts';

/** What it works with. */
export interface OutboundContext extends Pick<Context, 'config' | 'db'> {
  access: OdooAccess;
  kinds: Readonly<Record<string, RecordMapping>>;
  hub: Pick<LiveHub, 'broadcast'>;
}

/** The worker, woken by news of the outbox. */
export type Outbound = OutboxWorker & Feature;

/** Makes the worker; without a client the records wait. */
export function createOutbound(context: OutboundContext, registry: Registry, logger: Logger): Outbound {
  const { db, kinds, hub } = context;
  const config = context.config.odoo;
  const alert = (detail: string | undefined) => {
    setIntegrationAlert(db, detail).catch((error: unknown) => {
      logger.warn({ error: messageOf(error) }, 'integration alert not stored');
    });
  };
  let answered = false;
  const worker = createOutboxWorker({
    db,
    client: context.access.client,
    kinds,
    logger,
    options: { batchSize: config.batch_size, leaseMs: config.timeout_seconds * 2_000 },
    metrics: createOutboxMetrics(registry),
    onResult(kind, sourceId, result) {
      hub.broadcast({ type: 'odoo', kind, source_id: sourceId, result });
      // An alert that an earlier run raised is over as soon as Odoo takes a record.
      if (!answered) alert(undefined);
      answered = true;
    },
    onDenied: alert,
    onRecovered: () => alert(undefined),
  });
  return { ...feature({ news: [outboxNews(() => worker.wake())] }), ...worker };
}
