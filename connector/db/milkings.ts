// Milkings in the database: loading what a batch touches, and saving it.
import type { MilkSessionRecord } from '../../contract/records.ts';
import type { Evidence } from '../milkings/evidence.ts';
import { yieldOf } from '../milkings/record.ts';
import type { Kept } from '../milkings/settle.ts';
import type { Stats } from '../milkings/stats.ts';
import type { View } from '../milkings/view.ts';
import type { PoolClient } from './pool.ts';

/** A milking as stored. */
export interface StoredMilking extends Kept {
  id: number;
  deviceId: number;
  farmId: number;
  /** Where it was: as its messages said, else the stall of its device at its first message. */
  stall: string | null;
  /** The tag that the stall's reader read, where no message said one. */
  readRfid: string | null;
  /** Published as over; later messages make new revisions. */
  closed: boolean;
  /** What was last published, as `revision`; 0 means never. */
  record: MilkSessionRecord | null;
  revision: number;
}

/** A milking to be saved under its device and key. */
export interface MilkingToSave extends Kept {
  deviceId: number;
  farmId: number;
  stall: string | null;
  closed: boolean;
  view: View;
}

interface Row extends Omit<StoredMilking, 'evidence'> {
  evidence: Evidence | null;
  stats: Stats;
  rfid: string | null;
  animalRef: string | null;
  startedAt: Date;
  lastAt: Date;
  endedAt: Date | null;
  retired: boolean;
}

const columns = `id, device_id AS "deviceId", farm_id AS "farmId", session_key AS "sessionKey", wire_id AS "wireId", stall, rfid,
  animal_ref AS "animalRef", started_at AS "startedAt", last_at AS "lastAt", ended_at AS "endedAt", closed, retired,
  read_rfid AS "readRfid", evidence, CASE WHEN evidence IS NULL THEN stats END AS stats, record, revision`;

const toStored = ({
  id,
  deviceId,
  farmId,
  sessionKey,
  wireId,
  stall,
  readRfid,
  closed,
  record,
  revision,
  ...row
}: Row): StoredMilking => ({
  id,
  deviceId,
  farmId,
  sessionKey,
  wireId,
  stall,
  readRfid,
  closed,
  record,
  revision,
  evidence: row.evidence ?? (row.retired ? {} : pinnedEvidence({ stall, readRfid, ...row })),
});

/** What a version that kept less has left of a milking. */
function pinnedEvidence(
  row: Pick<Row, 'stall' | 'readRfid' | 'stats' | 'rfid' | 'animalRef' | 'startedAt' | 'lastAt' | 'endedAt'>,
): Evidence {
  const at = row.startedAt.getTime();
  const said = (value: string | null) => (value === null ? undefined : { value, at });
  const rfid = row.readRfid === null ? said(row.rfid) : undefined;
  const animalRef = said(row.animalRef);
  const stall = said(row.stall);
  return {
    stream: {
      first: at,
      last: row.lastAt.getTime(),
      end: row.endedAt?.getTime() ?? null,
      stats: row.stats,
      said: { ...(rfid && { rfid }), ...(animalRef && { animalRef }), ...(stall && { stall }) },
      pinned: true,
    },
  };
}

/** Messages of a device under one id (undefined: without), from the first of their moments to the last (epoch ms). */
export interface MilkingReference {
  deviceId: number;
  wireId: string | undefined;
  from: number;
  to: number;
}

/**
 * The milkings that these messages can concern, oldest first: those of the id at about that time and the one whose key is the
 * id alone; without id those of the time; and those near that hold messages without id. Locks them.
 */
export async function loadMilkings(
  client: PoolClient,
  references: readonly MilkingReference[],
): Promise<StoredMilking[]> {
  const named = references.filter(({ wireId }) => wireId !== undefined);
  const timed = references.filter(({ wireId }) => wireId === undefined);
  const moments = (chosen: readonly MilkingReference[]) => [
    chosen.map(({ deviceId }) => deviceId),
    chosen.map(({ from }) => new Date(from)),
    chosen.map(({ to }) => new Date(to)),
  ];
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM iot.milk_session WHERE id IN (
       SELECT s.id FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[]) AS n (device_id, from_at, to_at, wire_id)
       JOIN iot.milk_session s ON s.device_id = n.device_id AND s.wire_id = n.wire_id
        AND s.started_at BETWEEN n.from_at - INTERVAL '6 hours' AND n.to_at + INTERVAL '3 hours'
       UNION ALL
       SELECT s.id FROM unnest($1::int[], $4::text[]) AS n (device_id, wire_id)
       JOIN iot.milk_session s ON s.device_id = n.device_id AND s.session_key = n.wire_id
       UNION ALL
       SELECT s.id FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS n (device_id, from_at, to_at)
       JOIN iot.milk_session s ON s.loose AND s.device_id = n.device_id
        AND s.started_at BETWEEN n.from_at - INTERVAL '6 hours' AND n.to_at + INTERVAL '3 hours'
       UNION ALL
       SELECT s.id FROM unnest($5::int[], $6::timestamptz[], $7::timestamptz[]) AS t (device_id, from_at, to_at)
       JOIN iot.milk_session s ON s.device_id = t.device_id
        AND s.started_at BETWEEN t.from_at - INTERVAL '6 hours' AND t.to_at + INTERVAL '3 hours'
        AND s.last_at >= t.from_at - INTERVAL '35 minutes')
     ORDER BY started_at, id FOR UPDATE`,
    [...moments(named), named.map(({ wireId }) => wireId), ...moments(timed)],
  );
  return rows.map(toStored);
}

/** Lets one member at a time work on these devices' milkings, until the end of the transaction. */
export async function lockMilkings(client: PoolClient, deviceIds: readonly number[]): Promise<void> {
  // Two members of a group may have the same device for a moment after a rebalance. A milking that both open would lose
  // what the first one counted; buckets keep the number of locks small, and their order keeps them from deadlock.
  await client.query(
    `SELECT pg_advisory_xact_lock(hashtext('iot.milk_session'), bucket)
     FROM (SELECT DISTINCT id % 256 AS bucket FROM unnest($1::int[]) AS id ORDER BY bucket) AS buckets`,
    [deviceIds],
  );
}

/** Milkings by id, oldest first. Locks them. */
export async function loadMilkingsById(client: PoolClient, ids: readonly number[]): Promise<StoredMilking[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM iot.milk_session WHERE id = ANY ($1) ORDER BY started_at, id FOR UPDATE`,
    [ids],
  );
  return rows.map(toStored);
}

/** Saves milkings, new ones and changed ones. Returns their ids and the revisions published so far, in the same order. */
export async function saveMilkings(
  client: PoolClient,
  milkings: readonly MilkingToSave[],
): Promise<{ id: number; revision: number }[]> {
  if (milkings.length === 0) return [];
  const moment = (at: number | null) => (at === null ? null : new Date(at));
  const { rows } = await client.query<{ id: number; deviceId: number; sessionKey: string; revision: number }>(
    `INSERT INTO iot.milk_session AS s (device_id, farm_id, session_key, wire_id, stall, rfid, animal_ref, started_at, last_at,
       ended_at, closed, complete, evidence, loose, yield_kg)
     SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::bool[], $12::bool[], $13::jsonb[], $14::bool[], $15::float8[])
     ON CONFLICT (device_id, session_key) DO UPDATE SET wire_id = excluded.wire_id, stall = excluded.stall,
       rfid = coalesce(excluded.rfid, s.read_rfid), read_rfid = CASE WHEN excluded.rfid IS NULL THEN s.read_rfid END,
       animal_ref = excluded.animal_ref, started_at = excluded.started_at, last_at = excluded.last_at,
       ended_at = excluded.ended_at, closed = excluded.closed, complete = excluded.complete, evidence = excluded.evidence,
       loose = excluded.loose, retired = false, yield_kg = excluded.yield_kg, heard_at = now()
     RETURNING id, device_id AS "deviceId", session_key AS "sessionKey", revision`,
    [
      milkings.map((milking) => milking.deviceId),
      milkings.map((milking) => milking.farmId),
      milkings.map((milking) => milking.sessionKey),
      milkings.map((milking) => milking.wireId),
      milkings.map((milking) => milking.stall),
      milkings.map(({ view }) => view.rfid),
      milkings.map(({ view }) => view.animalRef),
      milkings.map(({ view }) => moment(view.startedAt)),
      milkings.map(({ view }) => moment(view.lastAt)),
      milkings.map(({ view }) => moment(view.endedAt)),
      milkings.map((milking) => milking.closed),
      milkings.map(({ view }) => view.complete),
      milkings.map((milking) => JSON.stringify(milking.evidence)),
      milkings.map(({ evidence }) => evidence.loose !== undefined),
      milkings.map(({ view }) => yieldOf(view.stats)),
    ],
  );
  const saved = new Map(rows.map((row) => [`${row.deviceId}/${row.sessionKey}`, row]));
  return milkings.map(({ deviceId, sessionKey }) => {
    const row = saved.get(`${deviceId}/${sessionKey}`);
    if (row === undefined) throw new Error(`milking ${deviceId}/${sessionKey} was not saved`);
    return { id: row.id, revision: row.revision };
  });
}

/** Takes out milkings whose messages turned out to be of others: what was never published goes, the rest stays as empty. */
export async function retireMilkings(client: PoolClient, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query('DELETE FROM iot.milk_session WHERE id = ANY ($1) AND revision = 0', [ids]);
  await client.query(
    `UPDATE iot.milk_session SET retired = true, closed = true, complete = false, evidence = '{}', loose = false, yield_kg = 0
     WHERE id = ANY ($1)`,
    [ids],
  );
}

/** Calls open milkings over that were silent too long; they are incomplete until their end turns up. */
export async function closeMilkings(client: PoolClient, ids: readonly number[]): Promise<void> {
  await client.query('UPDATE iot.milk_session SET closed = true WHERE id = ANY ($1)', [ids]);
}

/** Ids of open milkings that have been silent for so long. */
export async function silentMilkings(client: PoolClient, silenceSeconds: number): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM iot.milk_session WHERE NOT closed AND heard_at < now() - make_interval(secs => $1) LIMIT 1000`,
    [silenceSeconds],
  );
  return rows.map((row) => row.id);
}

/** The latest published milkings, newest first. */
export async function latestMilkings(
  client: Pick<PoolClient, 'query'>,
  limit: number,
): Promise<{ source_id: string; revision: number; record: MilkSessionRecord }[]> {
  const { rows } = await client.query<{ source_id: string; revision: number; record: MilkSessionRecord }>(
    `SELECT (record->>'farm') || '/' || (record->>'device_uid') || '/' || session_key AS source_id, revision, record
     FROM iot.milk_session WHERE revision > 0 AND NOT retired ORDER BY started_at DESC LIMIT $1`,
    [limit],
  );
  return rows;
}
