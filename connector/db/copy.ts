// COPY into a table from rows in memory, in PostgreSQL's binary format: the server parses no text.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from './pool.ts';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);
/** The buffer of the last COPY: a megabyte for every batch would wait outside of the heap for its collection. */
let spare: Buffer | undefined;

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
  const size = signature.length + count * rowBytes + trailer.length;
  const whole = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
  spare = undefined;
  const buffer = whole.subarray(0, size);
  signature.copy(buffer);
  fill(buffer, signature.length);
  trailer.copy(buffer, buffer.length - trailer.length);
  await pipeline(
    Readable.from([buffer]),
    client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`)),
  );
  // The server has all of it. After an error that is not known, and the buffer is left to the collector.
  spare = whole;
}
