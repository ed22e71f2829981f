// What follows from Odoo's answers: pure decisions, carried out by lane.ts.
import * as z from 'zod';
import type { Settlement } from '../db/outbox.ts';
import type { OdooReason } from '../odoo/errors.ts';
import { backoffMs, type Backoff } from '../../contract/backoff.ts';

/** Where Odoo stands, as health and status show it. */
export type TargetState = 'ok' | 'not_configured' | 'unreachable' | 'denied' | 'misconfigured';

const resultSchema = z.object({
  source_id: z.string(),
  status: z.enum(['created', 'updated', 'unchanged', 'stale', 'error']),
  id: z.union([z.int(), z.literal(false), z.null()]).optional(),
  error: z.union([z.string(), z.literal(false), z.null()]).optional(),
  error_type: z.union([z.enum(['validation', 'transient']), z.literal(false), z.null()]).optional(),
});

/** Odoo's answer for one record. */
export type RecordResult = z.infer<typeof resultSchema>;

/** Checks the answer to a batch: one result a record, in the same order. Undefined when it is anything else. */
export function readResults(answer: unknown, sourceIds: readonly string[]): RecordResult[] | undefined {
  const parsed = z.array(resultSchema).safeParse(answer);
  if (!parsed.success || parsed.data.length !== sourceIds.length) return undefined;
  return parsed.data.every(({ source_id }, index) => source_id === sourceIds[index])
    ? parsed.data
    : undefined;
}

/** What becomes of a record by Odoo's answer for it. `attempts` counts its earlier failures. */
export function settle(result: RecordResult, attempts: number, backoff: Backoff, random: number): Settlement {
  const odooId = typeof result.id === 'number' ? result.id : null;
  if (result.status === 'stale') {
    const error = typeof result.error === 'string' ? result.error : 'Odoo has a later revision';
    return { outcome: 'stale', error, odooId };
  }
  if (result.status !== 'error') return { outcome: 'sent', odooId };
  const error = typeof result.error === 'string' ? result.error : 'Odoo gave no reason';
  if (result.error_type !== 'transient') return { outcome: 'parked', error };
  return { outcome: 'retry', error, delayMs: backoffMs(attempts + 1, backoff, random) };
}

/** Waiting times of the worker, in milliseconds. */
export interface Waits {
  /** Back-off of a target that does not answer. */
  target: Backoff;
  /** Back-off of one record. */
  record: Backoff;
  /** How often a target that waits for a person is asked again. */
  probeMs: number;
}

/** A failed call, and what is known around it. */
export interface FailedCall {
  reason: OdooReason;
  message: string;
  retryAfterMs: number | undefined;
  /** Records in the call. */
  size: number;
  /** Calls of this kind that failed in a row, this one included. */
  failures: number;
  /** The call is part of a batch that is being halved already. */
  halved: boolean;
}

export type CallDecision =
  | { next: 'pause'; state: Exclude<TargetState, 'not_configured'>; waitMs: number }
  /** Send the halves one by one, to find the guilty record. */
  | { next: 'halve' }
  /** A single record and no doubt: this outcome is its own. */
  | { next: 'settle'; settlement: Settlement };

/** Crashes in a row after which a record is suspected instead of the server. */
export const crashPatience = 3;

/** What to do about a call that failed as a whole. */
export function decideCall(call: FailedCall, attempts: number, waits: Waits, random: number): CallDecision {
  const step = backoffMs(call.failures, waits.target, random);
  const waitMs = Math.max(step, call.retryAfterMs ?? 0);
  switch (call.reason) {
    case 'rejected':
      if (call.size > 1) return { next: 'halve' };
      return { next: 'settle', settlement: { outcome: 'parked', error: call.message } };
    case 'crash':
      if (!call.halved && call.failures < crashPatience)
        return { next: 'pause', state: 'unreachable', waitMs };
      if (call.size > 1) return { next: 'halve' };
      return {
        next: 'settle',
        settlement: {
          outcome: 'retry',
          error: call.message,
          delayMs: backoffMs(attempts + 1, waits.record, random),
        },
      };
    case 'denied':
    case 'misconfigured':
      return { next: 'pause', state: call.reason, waitMs: waits.probeMs };
    case 'busy':
      // It answers; that it asks for patience once is no reason for an alarm.
      return { next: 'pause', state: call.failures < crashPatience ? 'ok' : 'unreachable', waitMs };
    case 'unreachable':
    case 'overload':
      return { next: 'pause', state: 'unreachable', waitMs };
  }
}
