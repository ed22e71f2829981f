// Messages that could not be taken, kept with their reason.
import type { Queryable } from './pool.ts';
import { rowsOf } from './query-rows.ts';

/** A message and why it could not be taken. */
export interface DeadLetter {
  topic: string;
  payload: Uint8Array;
  reason: string;
  /** Epoch ms: what carries no time of its own is stored under this one when it is replayed. */
  arrivedAt: number;
  /** MQTT client and packet id. */
  origin: string | undefined;
  /** The broker may have sent it before: then it may be here already. */
  redelivered: boolean;
}

/** Enough to see what was wrong; a 10 MB payload is not kept whole. */
const keptBytes = 65_536;

/** Stores the dead letters of a batch; a redelivered one that is here already, with the same origin and content, is not stored again. */
export async function insertDeadLetters(
  client: Queryable,
  letters: readonly DeadLetter[],
  batchId?: string,
): Promise<void> {
  if (letters.length === 0) return;
  await client.query(
    `INSERT INTO iot.dead_letter (topic, payload, payload_size, reason, received_at, origin, batch_id)
     SELECT topic, payload, size, reason, at, origin, $8
     FROM unnest($1::text[], $2::bytea[], $3::int[], $4::text[], $5::timestamptz[], $6::text[], $7::boolean[])
       AS l (topic, payload, size, reason, at, origin, redelivered)
     WHERE NOT (redelivered AND EXISTS (SELECT FROM iot.dead_letter d WHERE d.origin = l.origin AND d.topic = l.topic
       AND d.payload_size = l.size AND d.payload = l.payload))`,
    [
      letters.map((letter) => storable(letter.topic)),
      letters.map((letter) => Buffer.from(letter.payload.subarray(0, keptBytes))),
      letters.map((letter) => letter.payload.length),
      letters.map((letter) => storable(letter.reason)),
      letters.map((letter) => new Date(letter.arrivedAt)),
      letters.map((letter) => letter.origin ?? null),
      letters.map((letter) => letter.redelivered),
      batchId ?? null,
    ],
  );
}

/** What became of a dead letter that was sent through the pipeline again; `reason` is null when it was taken. */
export interface Replay {
  id: number;
  reason: string | null;
}

/** Marks replayed dead letters, or notes why they still cannot be taken. */
export async function noteReplays(client: Queryable, replays: readonly Replay[]): Promise<void> {
  if (replays.length === 0) return;
  await client.query(
    `UPDATE iot.dead_letter d SET reason = coalesce(r.reason, d.reason), replays = d.replays + 1,
       replayed_at = CASE WHEN r.reason IS NULL THEN now() END
     FROM unnest($1::bigint[], $2::text[]) AS r (id, reason) WHERE d.id = r.id`,
    [
      replays.map((replay) => replay.id),
      replays.map(({ reason }) => (reason === null ? null : storable(reason))),
    ],
  );
}

/** PostgreSQL text takes no NUL. */
const storable = (text: string) => text.replaceAll('\u0000', '\uFFFD');

/** Which dead letters; what is undefined does not matter. */
export interface DeadLetterFilter {
  ids?: readonly number[] | undefined;
  state: 'waiting' | 'replayed' | 'all';
  /** Beginning of the topic. */
  topic?: string | undefined;
  /** Part of the reason. */
  reason?: string | undefined;
  /** Received from then on. */
  start?: Date | undefined;
  /** The last id of the page before: a list goes on below it, a replay above it. */
  cursor?: number | undefined;
}

const matching = `($1::bigint[] IS NULL OR id = ANY ($1)) AND ($2 = 'all' OR ($2 = 'waiting') = (replayed_at IS NULL))
  AND ($3::text IS NULL OR starts_with(topic, $3)) AND ($4::text IS NULL OR strpos(lower(reason), lower($4)) > 0)
  AND ($5::timestamptz IS NULL OR received_at >= $5) AND ($6::bigint IS NULL OR id < $6)
  AND ($7::bigint IS NULL OR id > $7)`;

const valuesOf = ({ ids, state, topic, reason, start }: DeadLetterFilter) => [
  ids ?? null,
  state,
  topic ?? null,
  reason ?? null,
  start ?? null,
];

const facts = `id, iot.iso(received_at) AS received_at, topic, reason, payload_size, batch_id, replays, iot.iso(replayed_at) AS replayed_at`;

/** The newest dead letters of a filter, payloads cut to 500 bytes. */
export async function listDeadLetters(
  db: Queryable,
  filter: DeadLetterFilter,
  limit: number,
): Promise<unknown[]> {
  const rows = await rowsOf<{ payload_start: Buffer }>(
    db,
    'dead-letters',
    `SELECT ${facts}, substring(payload, 1, 500) AS payload_start
     FROM iot.dead_letter WHERE ${matching} ORDER BY id DESC LIMIT $8`,
    [...valuesOf(filter), filter.cursor ?? null, null, limit],
  );
  return rows.map((row) => ({ ...row, payload_start: row.payload_start.toString('utf8') }));
}

/** One dead letter with its payload as stored, as text and as base64; undefined when there is none. */
export async function showDeadLetter(
  db: Queryable,
  id: number,
): Promise<Record<string, unknown> | undefined> {
  const [row] = await rowsOf<{ payload: Buffer; payload_size: number }>(
    db,
    'dead-letter',
    `SELECT ${facts}, payload FROM iot.dead_letter WHERE id = $1`,
    [id],
  );
  if (row === undefined) return undefined;
  const { payload, ...rest } = row;
  return {
    ...rest,
    is_cut: payload.length < row.payload_size,
    payload: payload.toString('utf8'),
    payload_base64: payload.toString('base64'),
  };
}

/** A dead letter as stored, to be sent through the pipeline again. */
export interface StoredLetter {
  id: number;
  receivedAt: Date;
  topic: string;
  payload: Buffer;
  payloadSize: number;
  replayedAt: Date | null;
}

/** The oldest dead letters of a filter, whole. */
export function loadDeadLetters(
  db: Queryable,
  filter: DeadLetterFilter,
  limit: number,
): Promise<StoredLetter[]> {
  return rowsOf<StoredLetter>(
    db,
    'dead-letters-whole',
    `SELECT id, received_at AS "receivedAt", topic, payload, payload_size AS "payloadSize", replayed_at AS "replayedAt"
     FROM iot.dead_letter WHERE ${matching} ORDER BY id LIMIT $8`,
    [...valuesOf(filter), null, filter.cursor ?? null, limit],
  );
}

/** Deletes dead letters older than so many days. */
export async function purgeDeadLetters(db: Queryable, days: number): Promise<void> {
  await db.query('DELETE FROM iot.dead_letter WHERE received_at < now() - make_interval(days => $1)', [days]);
}
