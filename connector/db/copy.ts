// COPY into a table from rows in memory, in PostgreSQL's binary format: the server parses no text.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from './pool.ts';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);

/**
 * Copies `count` rows into `target`, e.g. `iot.reading (time, value)`. `fill` writes the rows, `rowBytes` each (binary
 * format: column count, then length and value of every column), into the buffer from `offset` on.
 */
export async function copyBinary(
  client: PoolClient,
  target: string,
  count: number,
  rowBytes: number,
  fill: (buffer: Buffer, offset: number) => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(signature.length + count * rowBytes + trailer.length);
  signature.copy(buffer);
  fill(buffer, signature.length);
  trailer.copy(buffer, buffer.length - trailer.length);
  await pipeline(
    Readable.from([buffer]),
    client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`)),
  );
}
