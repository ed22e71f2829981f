// Pens of Odoo.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind, knownFarms } from './kind.ts';

const schema = z.object({ ...base, farm: z.string(), name: z.string() });

/** Pens by their id in Odoo. */
async function putPens(client: PoolClient, records: readonly z.output<typeof schema>[]): Promise<void> {
  const rows = [JSON.stringify(records)];
  await client.query(knownFarms, rows);
  await client.query(
    `INSERT INTO iot.pen AS p (odoo_id, farm_id, name, active)
     SELECT r.id, f.id, r.name, r.active
     FROM jsonb_to_recordset($1) AS r (id bigint, farm text, name text, active boolean) JOIN iot.farm f ON f.code = r.farm
     ON CONFLICT (odoo_id) DO UPDATE SET farm_id = excluded.farm_id, name = excluded.name, active = excluded.active
     WHERE (p.farm_id, p.name, p.active) IS DISTINCT FROM (excluded.farm_id, excluded.name, excluded.active)`,
    rows,
  );
}

export const pen = keptKind({
  kind: 'pen',
  schema,
  wokenBy: ['farm.pen'],
  put: putPens,
  table: 'iot.pen',
  removal: 'DELETE FROM iot.pen WHERE odoo_id = ANY ($1)',
});
