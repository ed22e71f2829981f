// Animals of Odoo with their tags.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind, knownFarms, text } from './kind.ts';

const schema = z.object({
  ...base,
  farm: z.string(),
  rfid_tag: text,
  ear_tag: text,
  name: text,
  pen: text,
  state: text,
});

const animals = `(
  SELECT r.id, f.id AS farm_id, r.name, r.state, r.active,
    (SELECT min(p.id) FROM iot.pen p WHERE p.farm_id = f.id AND p.name = r.pen) AS pen_id,
    CASE WHEN r.active AND r.rfid_tag ~ '^\\d{15}$' THEN r.rfid_tag END AS rfid,
    CASE WHEN r.active THEN r.ear_tag END AS ear_tag
  FROM jsonb_to_recordset($1) AS r (id bigint, farm text, name text, state text, active boolean, pen text,
    rfid_tag text, ear_tag text) JOIN iot.farm f ON f.code = r.farm)`;

/** Animals by their id in Odoo. A tag belongs to whoever Odoo says has it now: its former holder loses it. */
async function putAnimals(client: PoolClient, records: readonly z.output<typeof schema>[]): Promise<void> {
  const rows = [JSON.stringify(records)];
  await client.query(knownFarms, rows);
  for (const tag of ['rfid', 'ear_tag'])
    await client.query(
      `UPDATE iot.animal a SET ${tag} = NULL FROM ${animals} r
       WHERE a.farm_id = r.farm_id AND a.${tag} = r.${tag} AND a.odoo_id IS DISTINCT FROM r.id`,
      rows,
    );
  await client.query(
    `INSERT INTO iot.animal AS a (odoo_id, farm_id, rfid, ear_tag, name, pen_id, state, active)
     SELECT id, farm_id, rfid, ear_tag, name, pen_id, state, active FROM ${animals} r
     ON CONFLICT (odoo_id) DO UPDATE SET farm_id = excluded.farm_id, rfid = excluded.rfid, ear_tag = excluded.ear_tag,
       name = excluded.name, pen_id = excluded.pen_id, state = excluded.state, active = excluded.active
     WHERE (a.farm_id, a.rfid, a.ear_tag, a.name, a.pen_id, a.state, a.active) IS DISTINCT FROM (excluded.farm_id,
       excluded.rfid, excluded.ear_tag, excluded.name, excluded.pen_id, excluded.state, excluded.active)`,
    rows,
  );
}

export const animal = keptKind({
  kind: 'animal',
  schema,
  wokenBy: ['farm.animal'],
  put: putAnimals,
  table: 'iot.animal',
  // Odoo deletes its tags with it, and says so of the animal only.
  removal: `WITH tags AS (DELETE FROM iot.animal_tag WHERE animal_odoo_id = ANY ($1))
    UPDATE iot.animal SET odoo_id = NULL, active = false, rfid = NULL, ear_tag = NULL, pen_id = NULL
    WHERE odoo_id = ANY ($1)`,
});
