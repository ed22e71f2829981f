// Sizes and times of the outbox worker.
import type { Waits } from './decide.ts';

/** Sizes and times; the defaults suit one Odoo in the same house. */
export interface OutboxOptions {
  /** Records per call. */
  batchSize: number;
  /** Twice the client's call timeout or more, else a second worker repeats what is under way. */
  leaseMs: number;
  /** How often the outbox is looked at without a wake-up. */
  pollMs: number;
  /** Lanes that are at work at the same time. */
  concurrency: number;
  /** How long stop() lets running calls finish. */
  stopGraceMs: number;
  waits: Waits;
}

export const defaultOutboxOptions: OutboxOptions = {
  batchSize: 1_000,
  leaseMs: 60_000,
  pollMs: 1_000,
  concurrency: 3,
  stopGraceMs: 5_000,
  waits: {
    target: { baseMs: 1_000, capMs: 60_000 },
    record: { baseMs: 5_000, capMs: 600_000 },
    probeMs: 30_000,
  },
};
