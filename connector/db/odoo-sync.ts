// What was pulled from Odoo, into the dimensions. Nothing here goes to the outbox: it came from there.
import type { OwnLimit } from '../rules/limits.ts';
import type { PulledRecord, PullKind } from '../sync/records.ts';
import type { PoolClient, Queryable } from './pool.ts';

/** How far a kind has been pulled. */
export interface OdooCursor {
  cursor: string;
  /** Begin at the start; what the pass does not meet is gone. */
  fullPass: boolean;
}

/** The cursor of a kind; a kind that was never pulled begins with a full pass. */
export async function readCursor(db: Queryable, kind: PullKind): Promise<OdooCursor> {
  const { rows } = await db.query<OdooCursor>(
    `SELECT cursor, full_pass AS "fullPass" FROM iot.odoo_cursor WHERE kind = $1`,
    [kind],
  );
  return rows[0] ?? { cursor: '', fullPass: true };
}

/** Notes how far a kind has been pulled, in the transaction that wrote its records. */
export async function writeCursor(
  client: Queryable,
  kind: PullKind,
  { cursor, records, full }: { cursor: string; records: number; full: boolean },
): Promise<void> {
  await client.query(
    `INSERT INTO iot.odoo_cursor AS c (kind, cursor, full_pass, records, pulled_at, full_at)
     VALUES ($1, $2, false, $3, now(), CASE WHEN $4 THEN now() END)
     ON CONFLICT (kind) DO UPDATE SET cursor = excluded.cursor, records = c.records + excluded.records,
       pulled_at = now(), full_pass = c.full_pass AND NOT $4, full_at = coalesce(excluded.full_at, c.full_at)`,
    [kind, cursor, records, full],
  );
}

/** Lets the next pull of these kinds begin at the start. */
export async function requestFullPass(db: Queryable, kinds: readonly PullKind[]): Promise<void> {
  await db.query(
    `INSERT INTO iot.odoo_cursor (kind) SELECT * FROM unnest($1::text[])
     ON CONFLICT (kind) DO UPDATE SET full_pass = true`,
    [kinds],
  );
}

/** One line a kind for status pages. */
export async function listCursors(db: Queryable): Promise<unknown[]> {
  const { rows } = await db.query<Record<string, unknown>>(
    'SELECT kind, cursor, full_pass, records, pulled_at, full_at FROM iot.odoo_cursor ORDER BY kind',
  );
  return rows;
}

const knownFarms = `INSERT INTO iot.farm (code, name) SELECT DISTINCT farm, farm
  FROM jsonb_to_recordset($1) AS r (farm text) WHERE farm IS NOT NULL ON CONFLICT DO NOTHING`;

/** Farms by code. One whose code changed is another farm on the wire, and the old one stays for its data. */
export async function putFarms(client: PoolClient, records: readonly PulledRecord<'farm'>[]): Promise<void> {
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

/** Pens by their id in Odoo. */
export async function putPens(client: PoolClient, records: readonly PulledRecord<'pen'>[]): Promise<void> {
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

const animals = `(
  SELECT r.id, f.id AS farm_id, r.name, r.state, r.active,
    (SELECT min(p.id) FROM iot.pen p WHERE p.farm_id = f.id AND p.name = r.pen) AS pen_id,
    CASE WHEN r.active AND r.rfid_tag ~ '^\\d{15}$' THEN r.rfid_tag END AS rfid,
    CASE WHEN r.active THEN r.ear_tag END AS ear_tag
  FROM jsonb_to_recordset($1) AS r (id bigint, farm text, name text, state text, active boolean, pen text,
    rfid_tag text, ear_tag text) JOIN iot.farm f ON f.code = r.farm)`;

/** Animals by their id in Odoo. A tag belongs to whoever Odoo says has it now: its former holder loses it. */
export async function putAnimals(
  client: PoolClient,
  records: readonly PulledRecord<'animal'>[],
): Promise<void> {
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
  records: readonly PulledRecord<'device'>[],
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

/** Which animal carries a device, and when. Devices and animals that are not known here are left out. */
export async function putAssignments(
  client: PoolClient,
  records: readonly PulledRecord<'assignment'>[],
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
export async function putThresholds(
  client: PoolClient,
  records: readonly PulledRecord<'threshold'>[],
): Promise<void> {
  await client.query(
    `INSERT INTO iot.odoo_threshold AS t (odoo_id, farm_id, record)
     SELECT (r ->> 'id')::bigint, f.id, r
     FROM jsonb_array_elements($1::jsonb) AS r LEFT JOIN iot.farm f ON f.code = r ->> 'farm'
     ON CONFLICT (odoo_id) DO UPDATE SET farm_id = excluded.farm_id, record = excluded.record
     WHERE (t.farm_id, t.record) IS DISTINCT FROM (excluded.farm_id, excluded.record)`,
    [JSON.stringify(records)],
  );
}

const removals: Record<Exclude<PullKind, 'tombstone'>, string> = {
  farm: 'UPDATE iot.farm SET odoo_id = NULL, active = false WHERE odoo_id = ANY ($1)',
  pen: 'DELETE FROM iot.pen WHERE odoo_id = ANY ($1)',
  animal: `UPDATE iot.animal SET odoo_id = NULL, active = false, rfid = NULL, ear_tag = NULL, pen_id = NULL
    WHERE odoo_id = ANY ($1)`,
  // It may still talk: then it is discovered again, and Odoo hears of it as of a new one.
  device: `UPDATE iot.device SET odoo_id = NULL, state = 'discovered', is_kept_in_odoo = false, deleted_in_odoo_at = now()
    WHERE odoo_id = ANY ($1)`,
  assignment: 'DELETE FROM iot.device_animal WHERE odoo_id = ANY ($1)',
  threshold: 'DELETE FROM iot.odoo_threshold WHERE odoo_id = ANY ($1)',
};

/** Forgets records that are no longer in Odoo. Their measurements stay. */
export async function removeFromOdoo(
  client: PoolClient,
  kind: Exclude<PullKind, 'tombstone'>,
  odooIds: readonly number[],
): Promise<void> {
  if (odooIds.length > 0) await client.query(removals[kind], [odooIds]);
}

const tables: Record<Exclude<PullKind, 'tombstone'>, string> = {
  farm: 'iot.farm',
  pen: 'iot.pen',
  animal: 'iot.animal',
  device: 'iot.device',
  assignment: 'iot.device_animal',
  threshold: 'iot.odoo_threshold',
};

/** Ids that the database believes to be in Odoo beyond those of a full pass. */
export async function odooIdsBeyond(
  client: PoolClient,
  kind: Exclude<PullKind, 'tombstone'>,
  met: readonly number[],
): Promise<number[]> {
  const { rows } = await client.query<{ odoo_id: number }>(
    `SELECT odoo_id FROM ${tables[kind]} WHERE odoo_id IS NOT NULL AND NOT odoo_id = ANY ($1)`,
    [met],
  );
  return rows.map(({ odoo_id }) => odoo_id);
}
