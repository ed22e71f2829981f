// Limits of Odoo.
import * as z from 'zod';
import type { OwnLimit } from '../../rules/limits.ts';
import type { PoolClient, Queryable } from '../pool.ts';
import { base, keptKind, limit, text } from './kind.ts';

const schema = z.object({
  ...base,
  farm: text,
  /** Null: every device of the type, or of the farm. */
  device_uid: text,
  device_type: text,
  metric: z.string(),
  low: limit,
  high: limit,
  unit: text,
  severity: z.enum(['low', 'medium', 'high', 'critical']),
});

/** The active limits of every farm. */
export async function loadLimits(db: Queryable): Promise<OwnLimit[]> {
  const { rows } = await db.query<OwnLimit>(
    `SELECT f.code AS farm, r.device_type AS "deviceType", r.device_uid AS "deviceUid", r.metric, r.low, r.high, r.severity
     FROM iot.odoo_threshold t JOIN iot.farm f ON f.id = t.farm_id,
       jsonb_to_record(t.record) AS r (device_type text, device_uid text, metric text, low float8, high float8,
         severity text, active boolean)
     WHERE r.active`,
  );
  return rows;
}

/** Thresholds as Odoo describes them. */
async function putThresholds(client: PoolClient, records: readonly z.output<typeof schema>[]): Promise<void> {
  await client.query(
    `INSERT INTO iot.odoo_threshold AS t (odoo_id, farm_id, record)
     SELECT (r ->> 'id')::bigint, f.id, r
     FROM jsonb_array_elements($1::jsonb) AS r LEFT JOIN iot.farm f ON f.code = r ->> 'farm'
     ON CONFLICT (odoo_id) DO UPDATE SET farm_id = excluded.farm_id, record = excluded.record
     WHERE (t.farm_id, t.record) IS DISTINCT FROM (excluded.farm_id, excluded.record)`,
    [JSON.stringify(records)],
  );
}

export const threshold = keptKind({
  kind: 'threshold',
  schema,
  wokenBy: ['iot.threshold'],
  put: putThresholds,
  table: 'iot.odoo_threshold',
  removal: 'DELETE FROM iot.odoo_threshold WHERE odoo_id = ANY ($1)',
});
