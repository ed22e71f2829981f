// Which animal carries a device, as Odoo says it.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind, text } from './kind.ts';

const schema = z.object({
  ...base,
  farm: z.string(),
  device_uid: z.string(),
  /** Id of the animal in Odoo. */
  animal_id: z.int(),
  valid_from: z.string(),
  valid_to: text,
});

/** Which animal carries a device, and when. Devices and animals that are not known here are left out. */
async function putAssignments(
  client: PoolClient,
  records: readonly z.output<typeof schema>[],
): Promise<void> {
  const rows = [JSON.stringify(records)];
  // Periods that change places must not meet on the way.
  await client.query(
    `DELETE FROM iot.device_animal WHERE odoo_id IN (SELECT id FROM jsonb_to_recordset($1) AS r (id bigint))`,
    rows,
  );
  await client.query(
    `INSERT INTO iot.device_animal AS c (device_id, animal_id, valid_from, valid_to, odoo_id)
     SELECT d.id, a.id, r.valid_from AT TIME ZONE 'UTC', r.valid_to AT TIME ZONE 'UTC', r.id
     FROM jsonb_to_recordset($1) AS r (id bigint, farm text, device_uid text, animal_id bigint, valid_from timestamp,
       valid_to timestamp, active boolean)
     JOIN iot.farm f ON f.code = r.farm JOIN iot.device d ON d.farm_id = f.id AND d.device_uid = r.device_uid
     JOIN iot.animal a ON a.odoo_id = r.animal_id
     WHERE r.active AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
     ON CONFLICT (device_id, valid_from) DO UPDATE SET animal_id = excluded.animal_id, valid_to = excluded.valid_to,
       odoo_id = excluded.odoo_id`,
    rows,
  );
}

export const assignment = keptKind({
  kind: 'assignment',
  schema,
  wokenBy: [],
  put: putAssignments,
  table: 'iot.device_animal',
  removal: 'DELETE FROM iot.device_animal WHERE odoo_id = ANY ($1)',
});
