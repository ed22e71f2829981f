// How far devices' clocks are off, as the register keeps it.
import type { Queryable } from './pool.ts';

/** Notes offsets (arrival minus device time, seconds) by device id. */
export async function noteClocks(client: Queryable, offsets: ReadonlyMap<number, number>): Promise<void> {
  if (offsets.size === 0) return;
  await client.query(
    `UPDATE iot.device d SET clock_offset_seconds = n.seconds
     FROM unnest($1::int[], $2::float8[]) AS n (id, seconds) WHERE d.id = n.id`,
    [[...offsets.keys()], [...offsets.values()].map((offset) => Math.round(offset * 10) / 10)],
  );
}
