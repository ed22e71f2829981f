// Batches of one kind out of the outbox: leased and mapped, on request ahead of time, while Odoo works on the batch before.
import { messageOf } from '../../contract/errors.ts';
import { leaseOutbox, type OutboxRow } from '../db/outbox.ts';
import type { Queryable } from '../db/pool.ts';
import { toOdooRecord, type OdooRecord, type RecordMapping } from '../odoo/mapping/index.ts';
import type { Settler } from './settler.ts';

/** An outbox row, and the record that Odoo gets. */
export interface Item {
  row: OutboxRow;
  record: OdooRecord;
}

/** Rows that were leased together. */
export interface Batch {
  rows: readonly OutboxRow[];
  items: Item[];
  /** Rows whose payload is not what their kind says. */
  misfits: { row: OutboxRow; error: string }[];
  /** As many as were asked for: more may wait. */
  full: boolean;
}

/** The supply of one kind. */
export interface Supply {
  lease(limit: number): Promise<Batch>;
  /** Begins to lease the next batch. */
  leaseAhead(limit: number): void;
  /** What was leased ahead; undefined when that is nothing, or so old that its lease could end before Odoo answers. */
  takeAhead(): Promise<Batch | undefined>;
  /** Gives back what was leased ahead. */
  giveBack(): Promise<void>;
}

/** Makes a supply. What a process leased and did not settle is due again after `leaseMs`. */
export function createSupply(
  db: Queryable,
  kind: string,
  mapping: RecordMapping,
  leaseMs: number,
  release: Settler['release'],
): Supply {
  let ahead: { batch: Promise<Batch>; askedAt: number } | undefined;

  async function lease(limit: number): Promise<Batch> {
    const rows = await leaseOutbox(db, { kind, limit, leaseMs });
    const batch: Batch = { rows, items: [], misfits: [], full: rows.length === limit };
    for (const row of rows) {
      try {
        batch.items.push({ row, record: toOdooRecord(mapping, row) });
      } catch (error) {
        batch.misfits.push({ row, error: messageOf(error) });
      }
    }
    return batch;
  }

  return {
    lease,
    leaseAhead(limit) {
      ahead = { batch: lease(limit), askedAt: Date.now() };
      // A failure is met by whoever takes the batch.
      ahead.batch.catch(() => undefined);
    },
    async takeAhead() {
      const taken = ahead;
      ahead = undefined;
      const batch = await taken?.batch;
      if (taken === undefined || batch === undefined || batch.rows.length === 0) return undefined;
      // Half a lease is kept for the call. Longer than the other half takes only a batch that had to be halved many times.
      if (Date.now() - taken.askedAt < leaseMs / 2) return batch;
      await release(batch.rows);
      return undefined;
    },
    async giveBack() {
      const taken = ahead;
      ahead = undefined;
      if (taken !== undefined) await release((await taken.batch).rows);
    },
  };
}
