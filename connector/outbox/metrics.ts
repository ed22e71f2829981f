// Prometheus metrics of the outbox. Labels are kinds and states, never ids.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { TargetState } from './decide.ts';

const states: readonly TargetState[] = ['ok', 'not_configured', 'unreachable', 'denied', 'misconfigured'];

/** What the worker reports. */
export interface OutboxMetrics {
  /** A call that Odoo answered or failed, with its duration in seconds. */
  call(kind: string, outcome: string, records: number, durationS: number): void;
  /** One record's result: created, updated, unchanged, stale, parked or retry. */
  result(kind: string, status: string): void;
  state(state: TargetState): void;
}

/** Registers the outbox metrics. */
export function createOutboxMetrics(registry: Registry): OutboxMetrics {
  const registers = [registry];
  const batch = new Histogram({
    name: 'smart_dairy_outbox_batch_records',
    help: 'Records per call to Odoo',
    labelNames: ['kind'],
    buckets: [1, 10, 50, 100, 250, 500, 1000],
    registers,
  });
  const duration = new Histogram({
    name: 'smart_dairy_odoo_call_seconds',
    help: 'Duration of calls to Odoo by kind and outcome (ok or the reason of the failure)',
    labelNames: ['kind', 'outcome'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const results = new Counter({
    name: 'smart_dairy_outbox_results_total',
    help: 'Records by kind and what became of them',
    labelNames: ['kind', 'status'],
    registers,
  });
  const target = new Gauge({
    name: 'smart_dairy_odoo_state',
    help: '1 for the state that Odoo is in, 0 for the others',
    labelNames: ['state'],
    registers,
  });
  return {
    call(kind, outcome, records, durationS) {
      batch.observe({ kind }, records);
      duration.observe({ kind, outcome }, durationS);
    },
    result: (kind, status) => results.inc({ kind, status }),
    state: (current) => states.forEach((state) => target.set({ state }, state === current ? 1 : 0)),
  };
}
