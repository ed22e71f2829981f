// What sending a batch to a model that is not ours works with, and what became of each record.
import type { RecordResult } from '../../outbox/decide.ts';
import type { Caller, RecordKind } from '../mapping/index.ts';
import type { FieldTypes } from './check.ts';
import type { KindMapping, OdooMapping } from './schema.ts';

/** What sending works with. */
export interface BatchContext {
  client: Caller;
  mapping: OdooMapping;
  kind: RecordKind;
  wanted: KindMapping;
  types: FieldTypes;
  signal: AbortSignal;
}

export const done = (sourceId: string, status: 'created' | 'updated', id: number): RecordResult => ({
  source_id: sourceId,
  status,
  id,
});
export const refused = (sourceId: string, error: string): RecordResult => ({
  source_id: sourceId,
  status: 'error',
  error,
  error_type: 'validation',
});
