// Farms of Odoo.
import * as z from 'zod';
import { zoneSchema } from '../../../contract/zone.ts';
import type { PoolClient, Queryable } from '../pool.ts';
import { base, keptKind, text, type PutContext } from './kind.ts';

const schema = z.object({ ...base, code: z.string(), name: z.string(), tz: text });

/** Time zones of the farms that have one, by code. */
export async function loadFarmZones(db: Queryable): Promise<Map<string, string>> {
  const { rows } = await db.query<{ code: string; timezone: string }>(
    'SELECT code, timezone FROM iot.farm WHERE timezone IS NOT NULL',
  );
  return new Map(rows.map(({ code, timezone }) => [code, timezone]));
}

/** Farms by code. One whose code changed is another farm on the wire, and the old one stays for its data. */
async function putFarms(
  client: PoolClient,
  records: readonly z.output<typeof schema>[],
  { logger }: PutContext,
): Promise<void> {
  const unknown = await unknownZones(client, records);
  for (const { code, tz } of records)
    if (tz !== null && unknown.has(tz))
      logger.warn(
        { farm: code, tz },
        'a time zone of Odoo is not known here: the farm counts as one without',
      );
  const rows = [
    JSON.stringify(
      records.map((record) => ({
        ...record,
        tz: record.tz !== null && unknown.has(record.tz) ? null : record.tz,
      })),
    ),
  ];
  await client.query(
    `UPDATE iot.farm f SET odoo_id = NULL FROM jsonb_to_recordset($1) AS r (id bigint, code text)
     WHERE f.odoo_id = r.id AND f.code <> r.code`,
    rows,
  );
  await client.query(
    // Two companies may use one code; the active farm wins.
    `INSERT INTO iot.farm AS f (code, name, odoo_id, active, timezone)
     SELECT DISTINCT ON (code) code, name, id, active, tz
     FROM jsonb_to_recordset($1) AS r (id bigint, code text, name text, active boolean, tz text)
     ORDER BY code, active DESC, id
     ON CONFLICT (code) DO UPDATE SET name = excluded.name, odoo_id = excluded.odoo_id, active = excluded.active,
       timezone = excluded.timezone
     WHERE (f.name, f.odoo_id, f.active, f.timezone)
       IS DISTINCT FROM (excluded.name, excluded.odoo_id, excluded.active, excluded.timezone)`,
    rows,
  );
}

/** Zones that this program or the database does not know: their lists are not of one release. */
async function unknownZones(
  client: PoolClient,
  records: readonly { tz: string | null }[],
): Promise<ReadonlySet<string>> {
  const named = new Set(records.flatMap(({ tz }) => tz ?? []));
  if (named.size === 0) return named;
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM pg_timezone_names WHERE name = ANY ($1)',
    [[...named]],
  );
  const known = new Set(rows.map(({ name }) => name));
  return new Set([...named].filter((zone) => !known.has(zone) || !zoneSchema.safeParse(zone).success));
}

export const farm = keptKind({
  kind: 'farm',
  schema,
  wokenBy: ['farm.farm'],
  put: putFarms,
  table: 'iot.farm',
  removal: 'UPDATE iot.farm SET odoo_id = NULL, active = false WHERE odoo_id = ANY ($1)',
});
