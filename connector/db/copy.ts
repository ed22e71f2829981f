// COPY into a table from rows in memory.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from './pool.ts';

/** Copies text-format lines (tab separated, newline ended; values must need no escaping) into `target`, e.g. `iot.reading (time, value)`. */
export async function copyText(client: PoolClient, target: string, text: string): Promise<void> {
  await pipeline(Readable.from([Buffer.from(text)]), client.query(copyFrom(`COPY ${target} FROM STDIN`)));
}
