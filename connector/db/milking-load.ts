// Loading the milkings that a batch touches, as they were said.
import type { MilkSessionRecord } from '../../contract/records.ts';
import type { Evidence } from '../milkings/evidence.ts';
import type { Kept } from '../milkings/settle.ts';
import type { Stats } from '../milkings/stats.ts';
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

/** A row of a version that kept less, as JSON. */
interface FormerRow {
  stats: Stats;
  rfid: string | null;
  read_rfid: string | null;
  animal_ref: string | null;
  stall: string | null;
  started_at: string;
  last_at: string;
  ended_at: string | null;
}

interface Row extends Omit<StoredMilking, 'evidence'> {
  evidence: Evidence | null;
  former: FormerRow | null;
}

// What stands in other columns follows from the evidence: every message reads a row, and most of them need nothing else.
const columns = `id, device_id AS "deviceId", farm_id AS "farmId", session_key AS "sessionKey", wire_id AS "wireId", stall,
  read_rfid AS "readRfid", closed, record, revision, evidence,
  CASE WHEN evidence IS NULL AND NOT retired THEN to_jsonb(milk_session) END AS former`;

const toStored = ({ evidence, former, ...milking }: Row): StoredMilking => ({
  ...milking,
  evidence: evidence ?? (former === null ? {} : pinnedEvidence(former)),
});

function pinnedEvidence(row: FormerRow): Evidence {
  const at = Date.parse(row.started_at);
  const said = (value: string | null) => (value === null ? undefined : { value, at });
  const rfid = row.read_rfid === null ? said(row.rfid) : undefined;
  const animalRef = said(row.animal_ref);
  const stall = said(row.stall);
  return {
    stream: {
      first: at,
      last: Date.parse(row.last_at),
      end: row.ended_at === null ? null : Date.parse(row.ended_at),
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
  const { rows } = await client.query<Row>({
    name: 'milkings of messages',
    // An array, not IN: of the rows that another transaction had locked, a plan that removes repetitions passes over all but one.
    text: `SELECT ${columns} FROM iot.milk_session WHERE id = ANY (ARRAY(
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
        AND s.last_at >= t.from_at - INTERVAL '35 minutes'))
     ORDER BY started_at, id FOR UPDATE`,
    values: [...moments(named), named.map(({ wireId }) => wireId), ...moments(timed)],
  });
  return rows.map(toStored);
}

/**
 * Lets one member at a time work on these devices' milkings, until the end of the transaction. The statements that follow in it are
 * planned once a connection and not for each batch: planning took longer than all else.
 */
export async function beginMilkings(client: PoolClient, deviceIds: readonly number[]): Promise<void> {
  // Two members of a group may have the same device for a moment after a rebalance. A milking that both open would lose
  // what the first one counted; buckets keep the number of locks small, and their order keeps them from deadlock.
  await client.query({
    name: 'begin milkings',
    text: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), ARRAY(
       SELECT pg_advisory_xact_lock(hashtext('iot.milk_session'), bucket) IS NULL
       FROM (SELECT DISTINCT id % 256 AS bucket FROM unnest($1::int[]) AS id ORDER BY bucket) AS buckets)`,
    values: [deviceIds],
  });
}

/** Milkings by id, oldest first. Locks them. */
export async function loadMilkingsById(client: PoolClient, ids: readonly number[]): Promise<StoredMilking[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<Row>({
    name: 'milkings by id',
    text: `SELECT ${columns} FROM iot.milk_session WHERE id = ANY ($1) ORDER BY started_at, id FOR UPDATE`,
    values: [ids],
  });
  return rows.map(toStored);
}

/** Ids of open milkings that have been silent for so long. */
export async function silentMilkings(client: PoolClient, silenceSeconds: number): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM iot.milk_session WHERE NOT closed AND heard_at < now() - make_interval(secs => $1) LIMIT 1000`,
    [silenceSeconds],
  );
  return rows.map((row) => row.id);
}
