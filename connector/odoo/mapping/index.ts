// Every record kind that goes to Odoo: its model and its mapping. A new kind is one file beside this one and one line here.
import * as z from 'zod';
import { AppError } from '../../../contract/errors.ts';
import {
  alertRecordSchema,
  commandRecordSchema,
  deviceRecordSchema,
  milkSessionRecordSchema,
  recordSource,
  type RecordKind,
} from '../../../contract/records.ts';
import { alertToOdoo } from './alert.ts';
import { commandToOdoo } from './command.ts';
import { deviceToOdoo } from './device.ts';
import { milkSessionToOdoo } from './milk-session.ts';

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

/** In the order in which a starting connector sends them: a milking is more useful when its device is there. */
export const mappings: Record<RecordKind, RecordMapping> = {
  device: mapping('iot.device', deviceRecordSchema, deviceToOdoo),
  milk_session: {
    ...mapping('iot.milk.session', milkSessionRecordSchema, milkSessionToOdoo),
    callsAtOnce: 2,
  },
  alert: mapping('iot.alert', alertRecordSchema, alertToOdoo),
  command: mapping('iot.device.command', commandRecordSchema, commandToOdoo),
};

/** An outbox row as a complete Odoo record. Throws AppError `invalid` when the payload is not what its kind says. */
export function toOdooRecord(
  { toOdoo }: RecordMapping,
  row: { sourceId: string; revision: number; payload: unknown },
): OdooRecord {
  return { ...toOdoo(row.payload), source: recordSource, source_id: row.sourceId, revision: row.revision };
}

const schemas = {
  device: deviceRecordSchema,
  milk_session: milkSessionRecordSchema,
  alert: alertRecordSchema,
  command: commandRecordSchema,
};

/** Checks an outbox payload of a kind and leaves it as it is. Throws AppError `invalid`. */
export function payloadCheck(kind: RecordKind): (payload: unknown) => OdooRecord {
  return mapping<OdooRecord>('', schemas[kind], (record) => record).toOdoo;
}

function mapping<T>(model: string, schema: z.ZodType<T>, toOdoo: (record: T) => OdooRecord): RecordMapping {
  return {
    model,
    toOdoo(payload) {
      const checked = schema.safeParse(payload);
      if (checked.success) return toOdoo(checked.data);
      throw new AppError('invalid', `the record does not fit its kind: ${z.prettifyError(checked.error)}`);
    },
  };
}
