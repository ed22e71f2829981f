// Works on stored webhook events: one round at a time; an event that comes meanwhile starts another one.
import { Counter, type Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { purgeEvents } from '../db/odoo-events.ts';
import type { Db } from '../db/pool.ts';
import type { Job } from '../jobs/scheduler.ts';
import { workOnEvents, type EventContext } from './events.ts';

/** What the worker works with. */
export interface EventWorkerContext extends EventContext {
  db: Db;
  registry: Registry;
  logger: Logger;
}

/** The worker. */
export interface EventWorker {
  /** Works on what waits. */
  wake: () => void;
  jobs: readonly Job[];
  stop(): Promise<void>;
}

const keepDays = 30;

/** Makes the worker; nothing runs before wake(). */
export function createEventWorker(context: EventWorkerContext): EventWorker {
  const { db, registry, logger } = context;
  const events = new Counter({
    name: 'smart_dairy_odoo_events_total',
    help: 'Webhook events of Odoo by what became of them',
    labelNames: ['state'],
    registers: [registry],
  });
  let working: Promise<void> | undefined;
  let again = false;
  const wake = () => {
    again = working !== undefined;
    if (working !== undefined) return;
    working = workOnEvents(context, logger)
      .then((counts) => {
        for (const [state, count] of Object.entries(counts)) events.inc({ state }, count);
      })
      .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'webhook events wait'))
      .finally(() => {
        working = undefined;
        if (again) wake();
      });
  };
  return {
    wake,
    jobs: [
      { name: 'work on webhook events', cron: '*/30 * * * * *', run: () => Promise.resolve(wake()) },
      { name: 'delete old webhook events', cron: '0 21 3 * * *', run: () => purgeEvents(db, keepDays) },
    ],
    async stop() {
      again = false;
      await working;
    },
  };
}
