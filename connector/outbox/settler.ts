// Writes into the outbox what became of records, while the lane is at the next call already, and tells who wants to know.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../contract/runtime/logger.ts';
import { settleOutbox, type OutboxRow, type Settlement } from '../db/outbox.ts';
import type { Queryable } from '../db/pool.ts';
import { backoffMs } from '../../contract/backoff.ts';
import type { OutboxMetrics } from './metrics.ts';
import type { OutboxOptions } from './options.ts';
import type { Target } from './target.ts';

/** What became of one record, for live screens. */
export interface OutboxResult {
  status: 'created' | 'updated' | 'unchanged' | 'stale' | 'parked' | 'retry';
  odooId: number | null;
  error: string | null;
}

/** Tells of a record's result. */
export type OnResult = (kind: string, sourceId: string, result: OutboxResult) => void;

/** What a settler works with. */
export interface SettlerContext {
  db: Queryable;
  target: Target;
  logger: Logger;
  metrics: OutboxMetrics | undefined;
  onResult: OnResult | undefined;
  options: Pick<OutboxOptions, 'leaseMs'>;
  /** No time is left for a database that fails. */
  stopping: () => boolean;
}

/** A row, its outcome, and what to tell about it. */
export interface Settled {
  row: OutboxRow;
  settlement: Settlement;
  result: OutboxResult;
}

/** A row with its settlement; `taken` is what Odoo said of a record that it took. */
export function settled(row: OutboxRow, settlement: Settlement, taken?: OutboxResult['status']): Settled {
  const status = settlement.outcome === 'parked' ? 'parked' : (taken ?? 'retry');
  return {
    row,
    settlement,
    result: {
      status,
      odooId: 'odooId' in settlement ? settlement.odooId : null,
      error: 'error' in settlement ? settlement.error : null,
    },
  };
}

/** The settler of one lane. */
export interface Settler {
  /** Begins to write outcomes and waits for those before: at most one call's outcomes are behind. */
  settle(done: readonly Settled[]): Promise<void>;
  /** Waits until all is written. */
  caughtUp(): Promise<void>;
  /** Ends the leases of rows that are not sent now. */
  release: (rows: readonly OutboxRow[]) => Promise<void>;
}

/** Waits between attempts to tell the database what Odoo answered. */
const settleWaits = { baseMs: 100, capMs: 2_000 };

/** Makes a settler. A failed write is thrown once, by the next that waits; its records are due again when their leases end. */
export function createSettler(kind: string, context: SettlerContext): Settler {
  const { db, target, logger, metrics, onResult } = context;
  let behind = Promise.resolve();

  async function write(done: readonly Settled[]): Promise<void> {
    await settleAll(done);
    target.countSent(done.filter(({ settlement }) => settlement.outcome === 'sent').length);
    for (const { row, result } of done) {
      metrics?.result(kind, result.status);
      if (result.status === 'parked') {
        logger.warn({ kind, source_id: row.sourceId, error: result.error }, 'Odoo record parked');
      }
      if (result.status === 'stale') {
        logger.warn(
          { kind, source_id: row.sourceId, error: result.error },
          'Odoo has other content of a record',
        );
      }
      onResult?.(kind, row.sourceId, result);
    }
  }

  /**
   * Settles, and tries again what another transaction held for a moment; what is left then waits for its lease to end. A
   * database that fails is asked as long as a lease lasts: what Odoo answered would be lost, and all of it sent again.
   */
  async function settleAll(settlements: readonly Pick<Settled, 'row' | 'settlement'>[]): Promise<void> {
    const deadline = Date.now() + context.options.leaseMs;
    let open = settlements;
    let refusals = 0;
    for (let attempt = 1; open.length > 0 && attempt <= 5;) {
      try {
        const done = await settleOutbox(db, open);
        open = open.filter(({ row }) => !done.has(row.id));
        attempt += 1;
        if (open.length > 0) await delay(20);
      } catch (error) {
        refusals += 1;
        const waitMs = backoffMs(refusals, settleWaits);
        if (context.stopping() || Date.now() + waitMs > deadline) throw error;
        await delay(waitMs);
      }
    }
  }

  function next(work: Promise<void>): Promise<void> {
    const before = behind;
    behind = work;
    behind.catch(() => undefined);
    return before;
  }

  return {
    settle: async (done) => {
      if (done.length > 0) await next(write(done));
    },
    caughtUp: () => next(Promise.resolve()),
    release: (rows) => settleAll(rows.map((row) => ({ row, settlement: { outcome: 'released' } }))),
  };
}
