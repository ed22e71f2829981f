// One record kind on its way to Odoo: lease, map, one call, settle. Its state may die with the process at any line.
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { leaseOutbox, settleOutbox, type OutboxRow, type Settlement } from '../db/outbox.ts';
import type { Queryable } from '../db/pool.ts';
import { OdooError } from '../odoo/errors.ts';
import { toOdooRecord, type OdooRecord, type RecordMapping } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { backoffMs } from './backoff.ts';
import { decideCall, nextBatchSize, readResults, settle, type Waits } from './decide.ts';
import type { OutboxMetrics } from './metrics.ts';
import type { Target } from './target.ts';

/** What became of one record, for live screens. */
export interface OutboxResult {
  status: 'created' | 'updated' | 'unchanged' | 'stale' | 'parked' | 'retry';
  odooId: number | null;
  error: string | null;
}

/** What a lane works with. */
export interface LaneContext {
  db: Queryable;
  client: OdooClient;
  target: Target;
  logger: Logger;
  metrics: OutboxMetrics | undefined;
  onResult: ((kind: string, sourceId: string, result: OutboxResult) => void) | undefined;
  waits: Waits;
  batchSize: number;
  leaseMs: number;
  pollMs: number;
  /** Ends running calls. */
  abort: AbortSignal;
  /** No new call is begun any more. */
  stopping: () => boolean;
}

/** What a lane wants after a cycle: to wait, and whether new work may cut the wait short. */
export interface Pause {
  waitMs: number;
  reason: 'more' | 'idle' | 'trouble';
}

/** One record kind. Its cycles run one after the other. */
export interface Lane {
  kind: string;
  cycle(): Promise<Pause>;
}

interface Item {
  row: OutboxRow;
  record: OdooRecord;
}
type Settled = { row: OutboxRow; settlement: Settlement; result: OutboxResult };

/** Waits between attempts to tell the database what Odoo answered. */
const settleWaits = { baseMs: 100, capMs: 2_000 };

/** The lane of a kind. */
export function createLane(kind: string, mapping: RecordMapping, context: LaneContext): Lane {
  const { db, client, target, metrics, waits } = context;
  let size = context.batchSize;
  let failures = 0;
  let overloads = 0;
  let asked = 0;
  /** When the lease of the batch in hand ends, epoch ms. */
  let leasedUntil = 0;

  /** Calls upsert_batch with whatever is given; an empty batch only asks whether all is well. */
  async function call(items: readonly Item[]): Promise<Settled[]> {
    const started = performance.now();
    const finish = (outcome: string) =>
      metrics?.call(kind, outcome, items.length, (performance.now() - started) / 1000);
    asked = Date.now();
    try {
      const records = items.map(({ record }) => record);
      const answer =
        mapping.send === undefined
          ? await client.call(mapping.model, 'upsert_batch', { records }, context.abort)
          : await mapping.send(client, records, context.abort);
      const results = readResults(
        answer,
        items.map(({ row }) => row.sourceId),
      );
      if (results === undefined) {
        throw new OdooError(
          'misconfigured',
          'upsert_batch did not answer one result per record: update the addon smart_dairy_iot',
        );
      }
      finish('ok');
      return items.map(({ row }, index) => {
        const result = results[index];
        if (result === undefined) throw new OdooError('crash', 'readResults lost a record');
        return settled(row, settle(result, row.attempts, waits.record, Math.random()), result.status);
      });
    } catch (error) {
      finish(error instanceof OdooError ? error.reason : 'crash');
      throw error;
    }
  }

  function settled(row: OutboxRow, settlement: Settlement, status: string): Settled {
    const result: OutboxResult = {
      status:
        settlement.outcome === 'sent'
          ? (status as OutboxResult['status'])
          : (settlement.outcome as 'parked' | 'retry'),
      odooId: settlement.outcome === 'sent' ? settlement.odooId : null,
      error: 'error' in settlement ? settlement.error : null,
    };
    return { row, settlement, result };
  }

  async function finish(done: readonly Settled[]): Promise<void> {
    if (done.length === 0) return;
    await settleAll(done);
    target.countSent(done.filter(({ settlement }) => settlement.outcome === 'sent').length);
    for (const { row, result } of done) {
      metrics?.result(kind, result.status);
      if (result.status === 'parked') {
        context.logger.warn({ kind, source_id: row.sourceId, error: result.error }, 'Odoo record parked');
      }
      context.onResult?.(kind, row.sourceId, result);
    }
  }

  function wellAgain(): void {
    failures = 0;
    target.set(kind, 'ok', client.describe());
  }

  /** Sends a batch; halves it when a record is suspected. Returns the pause that a failure asks for. */
  async function send(batch: readonly Item[]): Promise<Pause | undefined> {
    const chunks = [{ items: batch, halved: false }];
    for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
      const { items, halved } = chunk;
      const [first] = items;
      if (first === undefined) continue;
      if (context.stopping()) {
        await release([...items, ...chunks.flatMap((rest) => rest.items)]);
        return { waitMs: 0, reason: 'idle' };
      }
      let done: Settled[];
      try {
        done = await call(items);
      } catch (thrown) {
        const error = known(thrown);
        if (!halved) failures += 1;
        // One timeout is normal, its records are in Odoo by now. A second one says that the batch is too large.
        overloads = error.reason === 'overload' ? overloads + 1 : 0;
        if (overloads > 1) size = nextBatchSize(items.length, context.batchSize, 'overload');
        const { reason, message, retryAfterMs } = error;
        const failed = { reason, message, retryAfterMs, size: items.length, failures, halved };
        const decision = decideCall(failed, first.row.attempts, waits, Math.random());
        if (decision.next === 'pause') {
          if (decision.state !== 'ok') target.set(kind, decision.state, message);
          await release([...items, ...chunks.flatMap((rest) => rest.items)]);
          return { waitMs: decision.waitMs, reason: 'trouble' };
        }
        if (decision.next === 'halve') {
          const middle = Math.ceil(items.length / 2);
          chunks.push(
            { items: items.slice(middle), halved: true },
            { items: items.slice(0, middle), halved: true },
          );
        } else {
          await finish([settled(first.row, decision.settlement, decision.settlement.outcome)]);
        }
        continue;
      }
      wellAgain();
      overloads = 0;
      size = nextBatchSize(size, context.batchSize, 'success');
      await finish(done);
    }
    return undefined;
  }

  /**
   * Settles, and tries again what another transaction held for a moment; what is left then waits for its lease to end. A
   * database that fails is asked until the lease ends: what Odoo answered would be lost, and the records wait out their lease.
   */
  async function settleAll(
    settlements: readonly { row: OutboxRow; settlement: Settlement }[],
  ): Promise<void> {
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
        const waitMs = backoffMs(refusals, settleWaits, Math.random());
        if (context.stopping() || Date.now() + waitMs > leasedUntil) throw error;
        await delay(waitMs);
      }
    }
  }

  async function release(items: readonly Item[]): Promise<void> {
    await settleAll(items.map(({ row }) => ({ row, settlement: { outcome: 'released' } })));
  }

  /** An exception that is not a failed call is our mistake: said loudly, and the records stay where they are. */
  function known(thrown: unknown): OdooError {
    if (thrown instanceof OdooError) return thrown;
    context.logger.error({ kind, err: thrown }, 'outbox: unexpected error around a call');
    return new OdooError('crash', messageOf(thrown));
  }

  /** With nothing to send, an empty batch keeps the status true and notices by itself that a key works again. */
  async function probe(): Promise<Pause> {
    try {
      await call([]);
    } catch (thrown) {
      const { reason, message, retryAfterMs } = known(thrown);
      failures += 1;
      const failed = { reason, message, retryAfterMs, size: 0, failures, halved: false };
      const decision = decideCall(failed, 0, waits, Math.random());
      const paused =
        decision.next === 'pause' ? decision : { state: 'unreachable' as const, waitMs: waits.probeMs };
      if (paused.state !== 'ok') target.set(kind, paused.state, message);
      return { waitMs: paused.waitMs, reason: 'trouble' };
    }
    wellAgain();
    return { waitMs: context.pollMs, reason: 'idle' };
  }

  return {
    kind,
    async cycle() {
      leasedUntil = Date.now() + context.leaseMs;
      const rows = await leaseOutbox(db, { kind, limit: size, leaseMs: context.leaseMs });
      if (rows.length === 0) {
        if (failures > 0 || Date.now() - asked >= waits.probeMs) return probe();
        return { waitMs: context.pollMs, reason: 'idle' };
      }
      const items: Item[] = [];
      const misfits: Settled[] = [];
      for (const row of rows) {
        try {
          items.push({ row, record: toOdooRecord(mapping, row) });
        } catch (error) {
          misfits.push(settled(row, { outcome: 'parked', error: messageOf(error) }, 'parked'));
        }
      }
      await finish(misfits);
      return (await send(items)) ?? { waitMs: 0, reason: 'more' };
    },
  };
}
