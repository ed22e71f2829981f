// What a record kind says of itself; each is one file beside this one, and everything else is derived from the list in index.ts.
import * as z from 'zod';
import { AppError } from '../../../contract/errors.ts';

/** One record as `upsert_batch` takes it. */
export type OdooRecord = Record<string, string | number | boolean | null>;

/** The part of an Odoo client that sending takes. */
export interface Caller {
  call(
    model: string,
    method: string,
    args: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<unknown>;
}

/** How one kind gets into Odoo. */
export interface RecordMapping {
  model: string;
  /** Checks an outbox payload and maps it. Throws AppError `invalid`. */
  toOdoo: (payload: unknown) => OdooRecord;
  /** Calls of this kind that may be under way at once; 1 where its records touch one another, or others, in Odoo. */
  callsAtOnce?: number;
  /** Sends a batch to a model that has no upsert_batch; one result a record, in order. */
  send?: (client: Caller, records: readonly OdooRecord[], signal: AbortSignal) => Promise<unknown>;
}

/** How reconciliation compares a kind with Odoo; null: it is not compared. */
export type Comparison =
  | {
      by: 'day';
      /** Odoo's field with the moment that a record counts for. */
      at: string;
      /** What is added up on both sides: a key of our record and Odoo's field. */
      sum: { key: string; field: string } | null;
      /** Odoo's field that says of a record that it is none any more: it is compared as any other, but not counted. */
      void: string | null;
    }
  | { by: 'record' }
  | null;

/** A record kind in full. */
export type RecordDescriptor<K extends string, S, C extends Comparison, L extends string | null> = Readonly<
  RecordMapping & {
    kind: K;
    /** Of an outbox payload. */
    schema: S;
    compare: C;
    /** Type of the live event that tells of a committed record. */
    live: L;
  }
>;

/** Makes the descriptor of a kind; `toOdoo` gets a checked record. */
export function recordKind<
  const K extends string,
  S extends z.ZodObject,
  const C extends Comparison,
  const L extends string | null,
>(definition: {
  kind: K;
  schema: S;
  model: string;
  toOdoo: (record: z.output<S>) => OdooRecord;
  callsAtOnce?: number;
  compare: C;
  live: L;
}): RecordDescriptor<K, S, C, L> {
  return { ...definition, toOdoo: (payload) => definition.toOdoo(checked(definition.schema, payload)) };
}

/** Checks an outbox payload. Throws AppError `invalid`. */
export function checked<S extends z.ZodType>(schema: S, payload: unknown): z.output<S> {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  throw new AppError('invalid', `the record does not fit its kind: ${z.prettifyError(result.error)}`);
}
