// Compares with Odoo on schedule and on request, and shows how the two agree.
import { Counter, Gauge, type Registry } from 'prom-client';
import { disagreeingDays } from '../db/reconciliation.ts';
import type { Job } from '../jobs/scheduler.ts';
import { reconciledKinds } from '../odoo/mapping/index.ts';
import { reconcile, type ReconcileContext } from './reconcile.ts';

/** The comparison. */
export interface Comparison {
  /** Compares the last `days` UTC days and every device; what differs goes to Odoo again. */
  run(days: number): Promise<void>;
  jobs: readonly Job[];
}

/** Registers how many days do not agree; asked at each scrape. */
export function registerComparisonGauge(registry: Registry, db: ReconcileContext['db']): void {
  new Gauge({
    name: 'smart_dairy_odoo_disagreeing_days',
    help: 'Days on which database and Odoo did not agree when last compared, by kind',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      for (const kind of reconciledKinds) this.set({ kind }, 0);
      for (const { kind, days } of await disagreeingDays(db).catch(() => [])) this.set({ kind }, days);
    },
  });
}

/** Makes the comparison. */
export function createComparison(context: ReconcileContext & { registry: Registry }): Comparison {
  const requeued = new Counter({
    name: 'smart_dairy_odoo_requeued_total',
    help: 'Records that the comparison sent again, by kind',
    labelNames: ['kind'],
    registers: [context.registry],
  });
  const run = async (days: number) => {
    for (const { kind, requeued: count } of await reconcile(context, days))
      if (count > 0) requeued.inc({ kind }, count);
  };
  return {
    run,
    jobs: [
      { name: 'compare with Odoo', cron: '0 43 * * * *', run: () => run(3) },
      { name: 'compare five weeks with Odoo', cron: '0 13 2 * * *', run: () => run(35) },
    ],
  };
}
