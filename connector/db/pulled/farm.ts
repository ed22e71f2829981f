// Farms of Odoo.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind } from './kind.ts';

const schema = z.object({ ...base, code: z.string(), name: z.string() });

/** Farms by code. One whose code changed is another farm on the wire, and the old one stays for its data. */
async function putFarms(client: PoolClient, records: readonly z.output<typeof schema>[]): Promise<void> {
  const rows = [JSON.stringify(records)];
  await client.query(
    `UPDATE iot.farm f SET odoo_id = NULL FROM jsonb_to_recordset($1) AS r (id bigint, code text)
     WHERE f.odoo_id = r.id AND f.code <> r.code`,
    rows,
  );
  await client.query(
    // Two companies may use one code; the active farm wins.
    `INSERT INTO iot.farm AS f (code, name, odoo_id, active)
     SELECT DISTINCT ON (code) code, name, id, active
     FROM jsonb_to_recordset($1) AS r (id bigint, code text, name text, active boolean) ORDER BY code, active DESC, id
     ON CONFLICT (code) DO UPDATE SET name = excluded.name, odoo_id = excluded.odoo_id, active = excluded.active
     WHERE (f.name, f.odoo_id, f.active) IS DISTINCT FROM (excluded.name, excluded.odoo_id, excluded.active)`,
    rows,
  );
}

export const farm = keptKind({
  kind: 'farm',
  schema,
  wokenBy: ['farm.farm'],
  put: putFarms,
  table: 'iot.farm',
  removal: 'UPDATE iot.farm SET odoo_id = NULL, active = false WHERE odoo_id = ANY ($1)',
});
