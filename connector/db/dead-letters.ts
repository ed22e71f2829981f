// Messages that could not be taken, kept with their reason.
import type { Queryable } from './pool.ts';

/** A message and why it could not be taken. */
export interface DeadLetter {
  topic: string;
  payload: Uint8Array;
  reason: string;
}

/** Enough to see what was wrong; a 10 MB payload is not kept whole. */
const keptBytes = 65_536;

/** Stores dead letters. */
export async function insertDeadLetters(client: Queryable, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  await client.query(
    `INSERT INTO iot.dead_letter (topic, payload, payload_size, reason)
     SELECT * FROM unnest($1::text[], $2::bytea[], $3::int[], $4::text[])`,
    [
      letters.map((letter) => storable(letter.topic)),
      letters.map((letter) => Buffer.from(letter.payload.subarray(0, keptBytes))),
      letters.map((letter) => letter.payload.length),
      letters.map((letter) => storable(letter.reason)),
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

/** The newest dead letters, payloads cut to 500 bytes. */
export async function listDeadLetters(db: Queryable, limit: number): Promise<unknown[]> {
  const { rows } = await db.query<{ payload_start: Buffer }>(
    `SELECT id, iot.iso(received_at) AS received_at, topic, reason, payload_size, substring(payload, 1, 500) AS payload_start
     FROM iot.dead_letter ORDER BY id DESC LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({ ...row, payload_start: row.payload_start.toString('utf8') }));
}

/** Deletes dead letters older than so many days. */
export async function purgeDeadLetters(db: Queryable, days: number): Promise<void> {
  await db.query('DELETE FROM iot.dead_letter WHERE received_at < now() - make_interval(days => $1)', [days]);
}
