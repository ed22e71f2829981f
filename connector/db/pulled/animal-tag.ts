// Which animal carried which tag, and when, as Odoo says it: the time of an event decides whose it was.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind, text } from './kind.ts';

const schema = z.object({
  ...base,
  /** Id of the animal in Odoo. */
  animal_id: z.int(),
  /** rfid, ear, collar. */
  kind: z.string(),
  tag: z.string(),
  /** Null: for as long as anybody knows. */
  valid_from: text,
  /** Null: it still carries it. */
  valid_to: text,
});

/** Spans by their id in Odoo. One whose animal is not known here yet is kept for when it is. */
async function putAnimalTags(client: PoolClient, records: readonly z.output<typeof schema>[]): Promise<void> {
  await client.query(
    `INSERT INTO iot.animal_tag AS t (odoo_id, animal_odoo_id, kind, tag, valid_from, valid_to)
     SELECT r.id, r.animal_id, r.kind, r.tag, coalesce(r.valid_from AT TIME ZONE 'UTC', '-infinity'),
       coalesce(r.valid_to AT TIME ZONE 'UTC', 'infinity')
     FROM jsonb_to_recordset($1) AS r (id bigint, animal_id bigint, kind text, tag text, valid_from timestamp, valid_to timestamp)
     ON CONFLICT (odoo_id) DO UPDATE SET animal_odoo_id = excluded.animal_odoo_id, kind = excluded.kind, tag = excluded.tag,
       valid_from = excluded.valid_from, valid_to = excluded.valid_to
     WHERE (t.animal_odoo_id, t.kind, t.tag, t.valid_from, t.valid_to) IS DISTINCT FROM (excluded.animal_odoo_id,
       excluded.kind, excluded.tag, excluded.valid_from, excluded.valid_to)`,
    [JSON.stringify(records)],
  );
}

export const animalTag = keptKind({
  kind: 'animal_tag',
  schema,
  // A webhook on animals fires for their tag of today too, which is a span.
  wokenBy: ['farm.animal', 'farm.animal.tag'],
  put: putAnimalTags,
  table: 'iot.animal_tag',
  removal: 'DELETE FROM iot.animal_tag WHERE odoo_id = ANY ($1)',
});
