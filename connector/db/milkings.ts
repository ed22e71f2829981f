// Milkings in the database: loading what a batch touches, saving it, tags, expected yields, publication.
import type { MilkSessionRecord } from '../../contract/records.ts';
import { yieldOf } from '../milkings/record.ts';
import type { Stats } from '../milkings/stats.ts';
import type { Milking } from '../milkings/transition.ts';
import { outboxPut } from './outbox.ts';
import type { PoolClient } from './pool.ts';

/** A milking as stored. `id` is undefined until it was saved for the first time. */
export interface StoredMilking extends Milking {
  id: number | undefined;
  deviceId: number;
  farmId: number;
  /** What was last published, as `revision`; 0 means never. */
  record: MilkSessionRecord | null;
  revision: number;
}

/** A tag read at a stall. `at` in epoch ms. */
export interface TagRead {
  deviceId: number;
  farmId: number;
  stall: string;
  rfid: string;
  at: number;
}

interface Row extends Omit<StoredMilking, 'startedAt' | 'lastAt' | 'endedAt' | 'stats'> {
  startedAt: Date;
  lastAt: Date;
  endedAt: Date | null;
  stats: Stats;
}

const columns = `id, device_id AS "deviceId", farm_id AS "farmId", session_key AS "sessionKey", wire_id AS "wireId", stall, rfid,
  animal_ref AS "animalRef", started_at AS "startedAt", last_at AS "lastAt", ended_at AS "endedAt", closed, complete,
  stats, record, revision`;

const toStored = (row: Row): StoredMilking => ({
  ...row,
  startedAt: row.startedAt.getTime(),
  lastAt: row.lastAt.getTime(),
  endedAt: row.endedAt?.getTime() ?? null,
});

/** What a message says of the milking it belongs to; without wire id, only the time (epoch ms). */
export interface MilkingReference {
  deviceId: number;
  wireId: string | undefined;
  at: number;
}

/** The milkings that these messages can belong to, oldest first: the devices' open ones, those of the wire id, those of the time. Locks them. */
export async function loadMilkings(
  client: PoolClient,
  references: readonly MilkingReference[],
): Promise<StoredMilking[]> {
  // Two members of a group may have the same device for a moment after a rebalance. A milking that both open would lose
  // what the first one counted; buckets keep the number of locks small, and their order keeps them from deadlock.
  await client.query(
    `SELECT pg_advisory_xact_lock(hashtext('iot.milk_session'), bucket)
     FROM (SELECT DISTINCT id % 256 AS bucket FROM unnest($1::int[]) AS id ORDER BY bucket) AS buckets`,
    [references.map(({ deviceId }) => deviceId)],
  );
  const named = references.filter(({ wireId }) => wireId !== undefined);
  const timed = references.filter(({ wireId }) => wireId === undefined);
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM iot.milk_session WHERE id IN (
       SELECT id FROM iot.milk_session WHERE NOT closed AND device_id = ANY ($1)
       UNION ALL
       SELECT s.id FROM unnest($2::int[], $3::text[]) AS n (device_id, wire_id)
       JOIN iot.milk_session s ON s.device_id = n.device_id AND s.wire_id = n.wire_id
       UNION ALL
       SELECT s.id FROM unnest($4::int[], $5::timestamptz[]) AS t (device_id, at)
       JOIN iot.milk_session s ON s.device_id = t.device_id AND s.started_at BETWEEN t.at - INTERVAL '12 hours' AND t.at
        AND t.at <= coalesce(s.ended_at, s.last_at))
     ORDER BY started_at FOR UPDATE`,
    [
      [...new Set(references.map(({ deviceId }) => deviceId))],
      named.map(({ deviceId }) => deviceId),
      named.map(({ wireId }) => wireId),
      timed.map(({ deviceId }) => deviceId),
      timed.map(({ at }) => new Date(at)),
    ],
  );
  return rows.map(toStored);
}

/** Milkings by id, oldest first. Locks them. */
export async function loadMilkingsById(client: PoolClient, ids: readonly number[]): Promise<StoredMilking[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM iot.milk_session WHERE id = ANY ($1) ORDER BY started_at FOR UPDATE`,
    [ids],
  );
  return rows.map(toStored);
}

/** Saves milkings, new ones and changed ones; fills in their ids. */
export async function saveMilkings(client: PoolClient, milkings: readonly StoredMilking[]): Promise<void> {
  if (milkings.length === 0) return;
  const moment = (at: number | null) => (at === null ? null : new Date(at));
  const { rows } = await client.query<{ id: number; deviceId: number; sessionKey: string }>(
    `INSERT INTO iot.milk_session (device_id, farm_id, session_key, wire_id, stall, rfid, animal_ref, started_at, last_at,
       ended_at, closed, complete, stats, yield_kg)
     SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::bool[], $12::bool[], $13::jsonb[], $14::float8[])
     ON CONFLICT (device_id, session_key) DO UPDATE SET stall = excluded.stall, rfid = excluded.rfid,
       animal_ref = excluded.animal_ref, started_at = excluded.started_at, last_at = excluded.last_at,
       ended_at = excluded.ended_at, closed = excluded.closed, complete = excluded.complete, stats = excluded.stats,
       yield_kg = excluded.yield_kg, heard_at = now()
     RETURNING id, device_id AS "deviceId", session_key AS "sessionKey"`,
    [
      milkings.map((milking) => milking.deviceId),
      milkings.map((milking) => milking.farmId),
      milkings.map((milking) => milking.sessionKey),
      milkings.map((milking) => milking.wireId),
      milkings.map((milking) => milking.stall),
      milkings.map((milking) => milking.rfid),
      milkings.map((milking) => milking.animalRef),
      milkings.map((milking) => moment(milking.startedAt)),
      milkings.map((milking) => moment(milking.lastAt)),
      milkings.map((milking) => moment(milking.endedAt)),
      milkings.map((milking) => milking.closed),
      milkings.map((milking) => milking.complete),
      milkings.map((milking) => JSON.stringify(milking.stats)),
      milkings.map((milking) => yieldOf(milking.stats)),
    ],
  );
  const ids = new Map(rows.map((row) => [`${row.deviceId}/${row.sessionKey}`, row.id]));
  for (const milking of milkings) milking.id = ids.get(`${milking.deviceId}/${milking.sessionKey}`);
}

/** Stores tag reads; returns the unidentified milkings that they could belong to. */
export async function insertTagReads(
  client: PoolClient,
  reads: readonly TagRead[],
  beforeSeconds: number,
): Promise<number[]> {
  if (reads.length === 0) return [];
  const farmIds = reads.map((read) => read.farmId);
  const stalls = reads.map((read) => read.stall);
  const times = reads.map((read) => new Date(read.at));
  await client.query(
    `INSERT INTO iot.rfid_read (device_id, time, farm_id, stall, rfid)
     SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [reads.map((read) => read.deviceId), times, farmIds, stalls, reads.map((read) => read.rfid)],
  );
  const { rows } = await client.query<{ id: number }>(
    'SELECT * FROM iot.sessions_at_reads($1, $2, $3, make_interval(secs => $4)) AS id',
    [farmIds, stalls, times, beforeSeconds],
  );
  return rows.map((row) => row.id);
}

/** Gives unidentified milkings the tag read at their stall. Returns id → tag of those that got one. */
export async function associateTags(
  client: PoolClient,
  ids: readonly number[],
  beforeSeconds: number,
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const { rows } = await client.query<{ id: number; rfid: string }>(
    'SELECT * FROM iot.associate_rfid($1, make_interval(secs => $2))',
    [ids, beforeSeconds],
  );
  return new Map(rows.map((row) => [row.id, row.rfid]));
}

/** Expected yield (kg) of these milkings, by id; null without enough history. */
export async function expectedYields(
  client: PoolClient,
  ids: readonly number[],
  days: number,
  least: number,
): Promise<ReadonlyMap<number, number | null>> {
  const { rows } = await client.query<{ id: number; expected_kg: number | null }>(
    'SELECT * FROM iot.expected_yield($1, $2, $3)',
    [ids, days, least],
  );
  return new Map(rows.map((row) => [row.id, row.expected_kg]));
}

/** A milking's new record and revision. */
export interface Publication {
  id: number;
  sourceId: string;
  revision: number;
  record: MilkSessionRecord;
}

/** Stores the published records and puts them into the outbox. */
export async function publishMilkings(
  client: PoolClient,
  publications: readonly Publication[],
): Promise<void> {
  if (publications.length === 0) return;
  const revisions = publications.map((publication) => publication.revision);
  const records = publications.map((publication) => JSON.stringify(publication.record));
  await client.query(
    `WITH published AS (
       UPDATE iot.milk_session s SET revision = p.revision, record = p.record
       FROM unnest($1::bigint[], $2::text[], $3::int[], $4::jsonb[]) AS p (id, source_id, revision, record)
       WHERE s.id = p.id RETURNING p.source_id, p.revision, p.record)
     ${outboxPut('milk_session', 'published')}`,
    [
      publications.map((publication) => publication.id),
      publications.map((publication) => publication.sourceId),
      revisions,
      records,
    ],
  );
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
     FROM iot.milk_session WHERE revision > 0 ORDER BY started_at DESC LIMIT $1`,
    [limit],
  );
  return rows;
}
