// Farms, devices and metrics in memory: looked up per message, never queried per row.
import type { MetricCatalogue } from '../../contract/metrics.ts';
import type { DeviceType } from '../../contract/topics.ts';
import { outboxPut } from './outbox.ts';
import type { PoolClient, Queryable } from './pool.ts';

/** A device as the pipeline needs it. */
export interface Device {
  id: number;
  farmId: number;
  farm: string;
  deviceUid: string;
  deviceType: DeviceType;
  profile: string | null;
  stall: string | null;
  state: 'discovered' | 'registered' | 'rejected';
}

/** A device to be put into the register. */
export interface NewDevice {
  farm: string;
  deviceUid: string;
  deviceType: DeviceType;
  name: string;
  profile: string | null;
  stall: string | null;
  seenAt: number | null;
  state: 'discovered' | 'registered';
}

/** What is known; changed only after the transaction that changed the tables has committed. */
export interface Dimensions {
  metricIds: ReadonlyMap<string, number>;
  devices: Map<string, Device>;
  devicesById: Map<number, Device>;
}

/** Makes devices known, or known anew. */
export function rememberDevices(dimensions: Dimensions, devices: readonly Device[]): void {
  for (const device of devices) {
    dimensions.devices.set(deviceKey(device.farm, device.deviceUid), device);
    dimensions.devicesById.set(device.id, device);
  }
}

/** Makes a device unknown that is no longer registered. */
export function forgetDevice(dimensions: Dimensions, id: number): void {
  const device = dimensions.devicesById.get(id);
  if (device === undefined) return;
  dimensions.devicesById.delete(id);
  dimensions.devices.delete(deviceKey(device.farm, device.deviceUid));
}

export const deviceKey = (farm: string, deviceUid: string) => `${farm}/${deviceUid}`;

const deviceColumns = `d.id, d.farm_id AS "farmId", f.code AS farm, d.device_uid AS "deviceUid",
  d.device_type AS "deviceType", d.profile, d.stall, d.state`;

/** Writes the catalogue into iot.metric; returns the ids of all metrics that were ever in it. */
export async function putMetrics(
  db: Queryable,
  catalogue: MetricCatalogue,
): Promise<ReadonlyMap<string, number>> {
  const metrics = [...catalogue];
  await db.query(
    `INSERT INTO iot.metric AS m (name, unit, kind, valid_min, valid_max, description)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[])
     ON CONFLICT (name) DO UPDATE SET unit = excluded.unit, kind = excluded.kind, valid_min = excluded.valid_min,
       valid_max = excluded.valid_max, description = excluded.description
     WHERE (m.unit, m.kind, m.valid_min, m.valid_max, m.description)
       IS DISTINCT FROM (excluded.unit, excluded.kind, excluded.valid_min, excluded.valid_max, excluded.description)`,
    [
      metrics.map(([name]) => name),
      metrics.map(([, metric]) => metric.unit),
      metrics.map(([, metric]) => metric.kind),
      metrics.map(([, metric]) => metric.min ?? null),
      metrics.map(([, metric]) => metric.max ?? null),
      metrics.map(([, metric]) => metric.description),
    ],
  );
  const ids = await db.query<{ name: string; id: number }>('SELECT name, id FROM iot.metric');
  return new Map(ids.rows.map((row) => [row.name, row.id]));
}

/** Writes the catalogue into iot.metric and loads all dimensions. */
export async function loadDimensions(db: Queryable, catalogue: MetricCatalogue): Promise<Dimensions> {
  const dimensions: Dimensions = {
    metricIds: await putMetrics(db, catalogue),
    devices: new Map(),
    devicesById: new Map(),
  };
  rememberDevices(dimensions, await loadDevices(db));
  return dimensions;
}

/** Every device, or those with these ids. */
export async function loadDevices(db: Queryable, ids?: readonly number[]): Promise<Device[]> {
  const { rows } = await db.query<Device>(
    `SELECT ${deviceColumns} FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
     WHERE $1::int[] IS NULL OR d.id = ANY ($1)`,
    [ids ?? null],
  );
  return rows;
}

/**
 * Puts devices (and their farms) into the register and their records into the outbox; returns all of them as stored.
 * Known devices keep what they are when `state` is discovered; a registration updates them, but for those that a person
 * keeps in Odoo it only fills gaps.
 */
export async function putDevices(client: PoolClient, devices: readonly NewDevice[]): Promise<Device[]> {
  if (devices.length === 0) return [];
  await client.query(
    `INSERT INTO iot.farm (code, name) SELECT DISTINCT c, c FROM unnest($1::text[]) c ON CONFLICT DO NOTHING`,
    [devices.map((device) => device.farm)],
  );
  const changed = await client.query<{ id: number }>(
    `INSERT INTO iot.device AS d (farm_id, device_uid, device_type, name, profile, stall, first_seen, last_seen, state)
     SELECT f.id, n.uid, coalesce(k.device_type, n.type), coalesce(k.name, n.name), coalesce(k.profile, n.profile),
       coalesce(k.stall, n.stall), n.seen, n.seen, coalesce(k.state, n.state)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
       AS n (farm, uid, type, name, profile, stall, seen, state) JOIN iot.farm f ON f.code = n.farm
       LEFT JOIN iot.device k ON k.farm_id = f.id AND k.device_uid = n.uid AND k.is_kept_in_odoo AND n.state = 'registered'
     ON CONFLICT (farm_id, device_uid) DO UPDATE SET device_type = excluded.device_type, name = excluded.name,
       profile = excluded.profile, stall = excluded.stall, state = excluded.state, revision = d.revision + 1
     WHERE excluded.state = 'registered' AND (d.device_type, d.name, d.profile, d.stall, d.state)
       IS DISTINCT FROM (excluded.device_type, excluded.name, excluded.profile, excluded.stall, excluded.state)
     RETURNING id`,
    [
      devices.map((device) => device.farm),
      devices.map((device) => device.deviceUid),
      devices.map((device) => device.deviceType),
      devices.map((device) => device.name),
      devices.map((device) => device.profile),
      devices.map((device) => device.stall),
      devices.map((device) => (device.seenAt === null ? null : new Date(device.seenAt))),
      devices.map((device) => device.state),
    ],
  );
  await publishDevices(
    client,
    changed.rows.map((row) => row.id),
  );
  const stored = await client.query<Device>(
    `SELECT ${deviceColumns} FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id
     JOIN unnest($1::text[], $2::text[]) AS n (farm, uid) ON n.farm = f.code AND n.uid = d.device_uid`,
    [devices.map((device) => device.farm), devices.map((device) => device.deviceUid)],
  );
  return stored.rows;
}

/** Puts the records of these devices into the outbox, as DeviceRecord of contract/records.ts. */
export async function publishDevices(client: Queryable, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    `WITH published AS (
       UPDATE iot.device d SET published_seen = d.last_seen FROM iot.farm f
       WHERE d.id = ANY ($1) AND f.id = d.farm_id
       RETURNING f.code || '/' || d.device_uid AS source_id, d.revision, jsonb_build_object(
         'farm', f.code, 'device_uid', d.device_uid, 'device_type', d.device_type, 'name', d.name, 'profile', d.profile,
         'manufacturer', d.manufacturer, 'model', d.model, 'stall', d.stall, 'state', d.state,
         'first_seen', iot.iso(d.first_seen), 'last_seen', iot.iso(d.last_seen)) AS record)
     ${outboxPut('device', 'published')}`,
    [ids],
  );
}

/** Notes when devices (by id) were last heard, in epoch ms. */
export async function noteSeen(client: Queryable, seen: ReadonlyMap<number, number>): Promise<void> {
  if (seen.size === 0) return;
  await client.query(
    `UPDATE iot.device d SET last_seen = greatest(d.last_seen, n.seen), first_seen = coalesce(d.first_seen, n.seen)
     FROM unnest($1::int[], $2::timestamptz[]) AS n (id, seen) WHERE d.id = n.id`,
    [[...seen.keys()], [...seen.values()].map((at) => new Date(at))],
  );
}

/** Sends devices to Odoo that were heard more than `seconds` after what Odoo knows. */
export async function publishSeen(client: PoolClient, seconds: number): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `UPDATE iot.device SET revision = revision + 1
     WHERE state <> 'rejected' AND last_seen > coalesce(published_seen, '-infinity') + make_interval(secs => $1)
     RETURNING id`,
    [seconds],
  );
  await publishDevices(
    client,
    rows.map((row) => row.id),
  );
}

/** Puts devices into the outbox once more, as they are now, above the revision that each had and in this one at least. */
export async function publishAgain(
  client: PoolClient,
  devices: readonly { id: number; revision: number }[],
): Promise<void> {
  const ids = devices.map(({ id }) => id);
  await client.query(
    `UPDATE iot.device d SET revision = greatest(d.revision + 1, n.revision)
     FROM unnest($1::int[], $2::int[]) AS n (id, revision) WHERE d.id = n.id`,
    [ids, devices.map(({ revision }) => revision)],
  );
  await publishDevices(client, ids);
}

/** Every farm. */
export async function farmCodes(client: Queryable): Promise<{ id: number; code: string }[]> {
  return (await client.query<{ id: number; code: string }>('SELECT id, code FROM iot.farm ORDER BY id')).rows;
}
