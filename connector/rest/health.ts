// Readiness in words: what each part of the connector depends on, and whether it is there.
import type { TargetStatus } from '../outbox/target.ts';

/** One dependency. */
export interface Check {
  ok: boolean;
  detail: string;
}

/**
 * The answer of /health/ready. `down`: data cannot be taken; `degraded`: it is taken, but does not reach Odoo;
 * `standby`: another connector takes it, and this one waits to replace it.
 */
export interface Readiness {
  status: 'ready' | 'degraded' | 'down' | 'standby';
  checks: { database: Check; mqtt: Check; odoo: Check; outbox: Check };
}

/** Outbox counts as far as readiness cares. */
export interface OutboxState {
  pending: number;
  parked: number;
  /** Odoo has other content; the comparison of the hour sends them again. */
  stale: number;
  oldestPendingS: number;
}

/** Puts the parts together. Odoo away is degraded: milk is still measured and nothing is lost. `standby` says who leads. */
export function readiness(
  database: Check,
  mqtt: Check,
  target: TargetStatus,
  outbox: OutboxState,
  standby?: string,
): Readiness {
  const odoo = {
    ok: target.state === 'ok',
    detail: target.state === 'ok' ? target.detail : `${target.state}: ${target.detail}`,
  };
  const waiting =
    outbox.pending === 0
      ? 'nothing waits'
      : `${outbox.pending} records wait, the oldest for ${outbox.oldestPendingS} s`;
  const parked = outbox.parked === 0 ? '' : `; ${outbox.parked} are parked: see GET /api/v1/outbox/parked`;
  const stale = outbox.stale === 0 ? '' : `; of ${outbox.stale} Odoo has other content (stale)`;
  const outboxCheck = { ok: outbox.parked === 0, detail: waiting + parked + stale };
  if (standby !== undefined && database.ok) {
    const waits = { ok: true, detail: standby };
    return { status: 'standby', checks: { database, mqtt: waits, odoo, outbox: outboxCheck } };
  }
  const status = !database.ok || !mqtt.ok ? 'down' : odoo.ok && outboxCheck.ok ? 'ready' : 'degraded';
  return { status, checks: { database, mqtt, odoo, outbox: outboxCheck } };
}
