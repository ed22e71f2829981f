// What a pulled kind says of itself; each is one file beside this one, and everything else is derived from the list in index.ts.
import * as z from 'zod';
import type { Logger } from '../../../contract/runtime/logger.ts';
import type { PoolClient, Queryable } from '../pool.ts';

/** What storing may ask. */
export interface PutContext {
  /** Whether a profile of this name exists. */
  knowsProfile: (name: string) => boolean;
  logger: Logger;
}

/** A kind that `iot.connector.pull` answers. Nothing of it goes to the outbox: it came from there. */
export interface PulledKind<K extends string, S extends z.ZodType> {
  kind: K;
  /** Of one record. */
  schema: S;
  /** Odoo's models whose webhook events say that this kind has changed. */
  wokenBy: readonly string[];
  /** Stores records, in the transaction of their cursor. */
  put: (client: PoolClient, records: readonly z.output<S>[], context: PutContext) => Promise<void>;
}

/** A kind whose records stay here and can be deleted in Odoo. */
export interface KeptKind<K extends string, S extends z.ZodType> extends PulledKind<K, S> {
  /** Has `odoo_id` of what is in Odoo. */
  table: string;
  /** Statement that forgets the records with the ids $1; their measurements stay. */
  removal: string;
}

/** Makes a descriptor; gives its functions the types of its schema. */
export const keptKind = <const K extends string, S extends z.ZodType>(kind: KeptKind<K, S>): KeptKind<K, S> =>
  kind;

/** Odoo says false for "no value". */
export const text = z
  .union([z.string(), z.literal(false), z.null()])
  .optional()
  .transform((value) => (typeof value === 'string' && value !== '' ? value : null));
export const limit = z
  .union([z.number(), z.literal(false), z.null()])
  .optional()
  .transform((value) => (typeof value === 'number' ? value : null));
export const base = { id: z.int(), active: z.boolean().default(true) };

/** Makes the farms of records known; `$1` are the records. */
export const knownFarms = `INSERT INTO iot.farm (code, name) SELECT DISTINCT farm, farm
  FROM jsonb_to_recordset($1) AS r (farm text) WHERE farm IS NOT NULL ON CONFLICT DO NOTHING`;

/** Forgets records that are no longer in Odoo. Their measurements stay. */
export async function removeFromOdoo(
  client: Queryable,
  { removal }: { removal: string },
  odooIds: readonly number[],
): Promise<void> {
  if (odooIds.length > 0) await client.query(removal, [odooIds]);
}

/** Ids that the database believes to be in Odoo beyond those of a full pass. */
export async function odooIdsBeyond(
  client: Queryable,
  { table }: { table: string },
  met: readonly number[],
): Promise<number[]> {
  const { rows } = await client.query<{ odoo_id: number }>(
    `SELECT odoo_id FROM ${table} WHERE odoo_id IS NOT NULL AND NOT odoo_id = ANY ($1)`,
    [met],
  );
  return rows.map(({ odoo_id }) => odoo_id);
}
