// Devices as people keep them in Odoo.
import * as z from 'zod';
import type { PoolClient } from '../pool.ts';
import { base, keptKind, knownFarms, text, type PutContext } from './kind.ts';

const schema = z.object({
  ...base,
  farm: z.string(),
  device_uid: z.string(),
  device_type: text,
  name: text,
  profile: text,
  stall: text,
  manufacturer: text,
  model: text,
  state: z.string(),
});

// Whatever a person did with a device beyond registering it, its data is taken; only a refusal stops it.
const devices = `(
  SELECT DISTINCT ON (f.id, r.device_uid) r.id, f.id AS farm_id, r.device_uid, r.device_type, r.name, r.profile, r.stall,
    r.manufacturer, r.model, CASE WHEN r.state IN ('rejected', 'refused') THEN 'rejected'
      WHEN r.state IN ('draft', 'discovered') OR NOT r.active THEN 'discovered' ELSE 'registered' END AS state,
    r.state NOT IN ('draft', 'discovered') AS kept
  FROM jsonb_to_recordset($1) AS r (id bigint, farm text, device_uid text, device_type text, name text, profile text,
    stall text, manufacturer text, model text, state text, active boolean) JOIN iot.farm f ON f.code = r.farm
  ORDER BY f.id, r.device_uid, r.active DESC, r.id)`;

/** Devices by farm and uid. What Odoo leaves empty stays as it is; one that nobody has registered is not made known. */
export async function putOdooDevices(
  client: PoolClient,
  records: readonly z.output<typeof schema>[],
): Promise<void> {
  const rows = [JSON.stringify(records)];
  await client.query(knownFarms, rows);
  await client.query(
    `UPDATE iot.device d SET odoo_id = NULL FROM ${devices} r
     WHERE d.odoo_id = r.id AND (d.farm_id, d.device_uid) <> (r.farm_id, r.device_uid)`,
    rows,
  );
  await client.query(
    `UPDATE iot.device d SET odoo_id = r.id, name = coalesce(r.name, d.name), stall = coalesce(r.stall, d.stall),
       device_type = coalesce(r.device_type, d.device_type), profile = coalesce(r.profile, d.profile),
       manufacturer = coalesce(r.manufacturer, d.manufacturer), model = coalesce(r.model, d.model),
       -- A person in Odoo registers and refuses; that Odoo has not looked at it yet takes nothing back.
       state = CASE WHEN r.state = 'discovered' AND d.state = 'registered' THEN d.state ELSE r.state END,
       is_kept_in_odoo = r.kept, deleted_in_odoo_at = NULL
     FROM ${devices} r
     WHERE d.farm_id = r.farm_id AND d.device_uid = r.device_uid AND (d.odoo_id, d.name, d.stall, d.device_type,
         d.profile, d.manufacturer, d.model, d.is_kept_in_odoo, d.state)
       IS DISTINCT FROM (r.id, coalesce(r.name, d.name), coalesce(r.stall, d.stall), coalesce(r.device_type,
         d.device_type), coalesce(r.profile, d.profile), coalesce(r.manufacturer, d.manufacturer),
         coalesce(r.model, d.model), r.kept, CASE WHEN r.state = 'discovered' AND d.state = 'registered' THEN d.state ELSE r.state END)`,
    rows,
  );
  await client.query(
    `INSERT INTO iot.device (farm_id, device_uid, device_type, name, profile, stall, manufacturer, model, state, odoo_id,
       is_kept_in_odoo)
     SELECT farm_id, device_uid, device_type, coalesce(name, device_uid), profile, stall, manufacturer, model, state, id, kept
     FROM ${devices} r WHERE state <> 'discovered' AND device_type IS NOT NULL ON CONFLICT DO NOTHING`,
    rows,
  );
}

function withKnownProfiles(
  records: readonly z.output<typeof schema>[],
  { knowsProfile, logger }: PutContext,
): z.output<typeof schema>[] {
  return records.map((device) => {
    if (device.profile === null || knowsProfile(device.profile)) return device;
    logger.warn(
      { device: `${device.farm}/${device.device_uid}`, profile: device.profile },
      'Odoo names a profile that config/profiles/ does not have; the device keeps its own',
    );
    return { ...device, profile: null };
  });
}

export const device = keptKind({
  kind: 'device',
  schema,
  wokenBy: ['iot.device'],
  put: (client, records, context) => putOdooDevices(client, withKnownProfiles(records, context)),
  table: 'iot.device',
  // It may still talk: then it is discovered again, and Odoo hears of it as of a new one.
  removal: `UPDATE iot.device SET odoo_id = NULL, state = 'discovered', is_kept_in_odoo = false, deleted_in_odoo_at = now()
    WHERE odoo_id = ANY ($1)`,
});
