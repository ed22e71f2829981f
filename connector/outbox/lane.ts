// One record kind on its way to Odoo: lease, map, one call, settle. While Odoo works on a batch, the one before is settled
// and the next one leased. The lane's state may die with the process at any line: leases end, and Odoo knows what it has.
import { messageOf } from '../../contract/errors.ts';
import { OdooError } from '../odoo/errors.ts';
import type { RecordMapping } from '../odoo/mapping/index.ts';
import { createCaller, type CallerContext } from './call.ts';
import type { BatchSize } from './batch-size.ts';
import { decideCall } from './decide.ts';
import type { OutboxOptions } from './options.ts';
import { createSettler, settled, type Settled, type SettlerContext } from './settler.ts';
import { createSupply, type Batch, type Item } from './supply.ts';

/** What a lane works with. */
export interface LaneContext extends SettlerContext, CallerContext {
  options: Pick<OutboxOptions, 'leaseMs' | 'pollMs' | 'waits'>;
  size: BatchSize;
}

/** What a lane wants after a cycle: to wait, and whether new work may cut the wait short. */
export interface Pause {
  waitMs: number;
  reason: 'more' | 'idle' | 'trouble';
}

/** One lane. Its cycles run one after the other. */
export interface Lane {
  name: string;
  cycle(): Promise<Pause>;
  /** After the last cycle: gives back what was leased ahead, and waits until everything is settled. */
  close(): Promise<void>;
}

/** A lane of a kind. `name` tells it from others of the same kind: each meets Odoo by itself. */
export function createLane(name: string, kind: string, mapping: RecordMapping, context: LaneContext): Lane {
  const { client, target, size } = context;
  const { leaseMs, pollMs, waits } = context.options;
  const settler = createSettler(kind, context);
  const supply = createSupply(context.db, kind, mapping, leaseMs, settler.release);
  const caller = createCaller(kind, mapping, context);
  let failures = 0;
  let overloads = 0;

  function wellAgain(): void {
    failures = 0;
    target.set(name, 'ok', client.describe());
  }

  /** Sends a batch; halves it when a record is suspected. Returns the pause that a failure asks for. */
  async function send(batch: readonly Item[]): Promise<Pause | undefined> {
    const chunks = [{ items: batch, halved: false }];
    for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
      const { items, halved } = chunk;
      const [first] = items;
      if (first === undefined) continue;
      if (context.stopping()) {
        await giveBack([...items, ...chunks.flatMap((rest) => rest.items)]);
        return { waitMs: 0, reason: 'idle' };
      }
      let done: Settled[];
      try {
        done = await caller.call(items);
      } catch (thrown) {
        const error = known(thrown);
        if (!halved) failures += 1;
        // One timeout is normal, its records are in Odoo by now. A second one says that the batch is too large.
        overloads = error.reason === 'overload' ? overloads + 1 : 0;
        if (overloads > 1) size.onTooMuch(items.length);
        const { reason, message, retryAfterMs } = error;
        const failed = { reason, message, retryAfterMs, size: items.length, failures, halved };
        const decision = decideCall(failed, first.row.attempts, waits, Math.random());
        if (decision.next === 'pause') {
          if (decision.state !== 'ok') target.set(name, decision.state, message);
          await giveBack([...items, ...chunks.flatMap((rest) => rest.items)]);
          return { waitMs: decision.waitMs, reason: 'trouble' };
        }
        if (decision.next === 'halve') {
          const middle = Math.ceil(items.length / 2);
          chunks.push(
            { items: items.slice(middle), halved: true },
            { items: items.slice(0, middle), halved: true },
          );
        } else {
          await settler.settle([settled(first.row, decision.settlement)]);
        }
        continue;
      }
      wellAgain();
      overloads = 0;
      size.onSuccess(items.length);
      await settler.settle(done);
    }
    return undefined;
  }

  /** Gives back what is not sent now: these, and what was leased ahead. */
  async function giveBack(items: readonly Item[]): Promise<void> {
    await settler.release(items.map(({ row }) => row));
    await supply.giveBack();
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
      await caller.call([]);
    } catch (thrown) {
      const { reason, message, retryAfterMs } = known(thrown);
      failures += 1;
      const failed = { reason, message, retryAfterMs, size: 0, failures, halved: false };
      const decision = decideCall(failed, 0, waits, Math.random());
      const paused =
        decision.next === 'pause' ? decision : { state: 'unreachable' as const, waitMs: waits.probeMs };
      if (paused.state !== 'ok') target.set(name, paused.state, message);
      return { waitMs: paused.waitMs, reason: 'trouble' };
    }
    wellAgain();
    return { waitMs: pollMs, reason: 'idle' };
  }

  async function lease(): Promise<Batch> {
    await settler.caughtUp();
    return supply.lease(size.current());
  }

  return {
    name,
    async cycle() {
      const batch = (await supply.takeAhead()) ?? (await lease());
      if (batch.rows.length === 0) {
        if (failures > 0 || Date.now() - caller.calledAt() >= waits.probeMs) return probe();
        return { waitMs: pollMs, reason: 'idle' };
      }
      // A full batch says that more wait. Not while Odoo has trouble: they would only be given back.
      if (batch.full && failures === 0 && !context.stopping()) supply.leaseAhead(size.current());
      await settler.settle(batch.misfits.map(({ row, error }) => settled(row, { outcome: 'parked', error })));
      return (await send(batch.items)) ?? { waitMs: 0, reason: 'more' };
    },
    async close() {
      await supply.giveBack();
      await settler.caughtUp();
    },
  };
}
