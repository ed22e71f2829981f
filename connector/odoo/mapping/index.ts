// Every record kind that goes to Odoo. A new kind is one file beside this one and one word here.
import { recordSource } from '../../../contract/records.ts';
import { alert } from './alert.ts';
import { command } from './command.ts';
import { device } from './device.ts';
import { contentHash } from './content.ts';
import { checked, type OdooRecord, type RecordMapping } from './kind.ts';
import { milkSession } from './milk-session.ts';

export type { Caller, OdooRecord, RecordMapping } from './kind.ts';

/** In the order in which a starting connector sends them: a milking is more useful when its device is there. */
const descriptors = [device, milkSession, alert, command] as const;

type Descriptor = (typeof descriptors)[number];
export type RecordKind = Descriptor['kind'];
type Daily = Extract<Descriptor, { compare: { by: 'day' } }>;
/** Kinds that are compared with Odoo day by day. */
export type DailyKind = Daily['kind'];
/** Kinds that are compared with Odoo. */
export type ReconciledKind = Extract<Descriptor, { compare: object }>['kind'];
/** Kinds whose committed records are told to live listeners. */
export type LiveKind = Extract<Descriptor, { live: string }>['kind'];
export type LiveType = Extract<Descriptor, { live: string }>['live'];

/** Every kind by its name. */
export const mappings = Object.fromEntries(
  descriptors.map((descriptor) => [descriptor.kind, descriptor]),
) as unknown as { readonly [K in RecordKind]: Extract<Descriptor, { kind: K }> };

export const recordKinds: readonly RecordKind[] = descriptors.map(({ kind }) => kind);
export const dailyKinds: readonly DailyKind[] = descriptors
  .filter((descriptor): descriptor is Daily => descriptor.compare?.by === 'day')
  .map(({ kind }) => kind);
export const reconciledKinds: readonly ReconciledKind[] = descriptors
  .filter((descriptor) => descriptor.compare !== null)
  .map(({ kind }) => kind);

/** An outbox row as a complete Odoo record. Throws AppError `invalid` when the payload is not what its kind says. */
export function toOdooRecord(
  { toOdoo }: Pick<RecordMapping, 'toOdoo'>,
  row: { sourceId: string; revision: number; payload: unknown },
): OdooRecord {
  const record = toOdoo(row.payload);
  const { sourceId: source_id, revision } = row;
  return { ...record, source: recordSource, source_id, revision, content_hash: contentHash(record) };
}

/** Checks an outbox payload of a kind and leaves it as it is. Throws AppError `invalid`. */
export function payloadCheck(kind: RecordKind): (payload: unknown) => OdooRecord {
  return (payload) => checked(mappings[kind].schema, payload);
}
