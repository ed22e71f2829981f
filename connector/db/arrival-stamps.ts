// Moments given to messages without a time, so that their redelivery after a crash gets the same ones.
import type { Queryable } from './pool.ts';

/** Who delivered a message (MQTT client and packet id), what it was, and the moment (epoch ms) it was given. */
export interface ArrivalStamp {
  origin: string;
  digest: string;
  at: number;
}

/** The stamps given before, by origin, the oldest first. */
export async function loadStamps(db: Queryable): Promise<Map<string, ArrivalStamp>> {
  const { rows } = await db.query<{ origin: string; digest: string; at: Date }>(
    'SELECT origin, digest, at FROM iot.arrival_stamp ORDER BY at',
  );
  return new Map(rows.map((row) => [row.origin, { ...row, at: row.at.getTime() }]));
}

/** The stamp of one origin. */
export async function findStamp(db: Queryable, origin: string): Promise<ArrivalStamp | undefined> {
  const { rows } = await db.query<{ digest: string; at: Date }>(
    'SELECT digest, at FROM iot.arrival_stamp WHERE origin = $1',
    [origin],
  );
  const row = rows[0];
  return row === undefined ? undefined : { origin, digest: row.digest, at: row.at.getTime() };
}

/** Remembers stamps, one an origin, and forgets those of the origins `gone`. */
export async function saveStamps(
  client: Queryable,
  stamps: readonly ArrivalStamp[],
  gone: readonly string[],
): Promise<void> {
  if (stamps.length === 0 && gone.length === 0) return;
  await client.query(
    `WITH forgotten AS (DELETE FROM iot.arrival_stamp WHERE origin = ANY ($4))
     INSERT INTO iot.arrival_stamp (origin, digest, at) SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
     ON CONFLICT (origin) DO UPDATE SET digest = excluded.digest, at = excluded.at`,
    [
      stamps.map((stamp) => stamp.origin),
      stamps.map((stamp) => stamp.digest),
      stamps.map((stamp) => new Date(stamp.at)),
      gone,
    ],
  );
}

/** Forgets stamps of clients that did not come back for longer than a broker keeps their messages. */
export async function purgeStamps(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM iot.arrival_stamp WHERE at < now() - INTERVAL '31 days'`);
}
