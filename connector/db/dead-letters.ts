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

/** PostgreSQL text takes no NUL. */
const storable = (text: string) => text.replaceAll('\u0000', '\uFFFD');
