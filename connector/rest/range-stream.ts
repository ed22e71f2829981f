// A range of values as text, read and sent page by page.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Queryable } from '../db/pool.ts';
import { seriesPage, type SeriesRange, type SeriesRow } from '../db/query-readings.ts';

/** Rows read at once for a stream: about a megabyte of text. */
const streamPage = 10_000;

/** The text of a range, page by page: memory holds one page, whatever the range. */
export async function* textOf(
  db: Queryable,
  range: Omit<SeriesRange, 'cursor'>,
  from: { time: Date; value: number } | undefined,
  text: (rows: readonly SeriesRow[], before: { time: Date; value: number } | undefined) => string,
  head: string,
): AsyncGenerator<string> {
  // Read before the head line goes out: what fails here is still a problem with a status of its own.
  let before = from;
  let rows = await seriesPage(db, { ...range, cursor: before?.time }, streamPage);
  if (head !== '') yield head;
  while (rows.length > 0) {
    yield text(rows, before);
    before = rows.at(-1);
    rows =
      rows.length < streamPage ? [] : await seriesPage(db, { ...range, cursor: before?.time }, streamPage);
  }
}

/** Sends a stream as fast as the client takes it; one that goes away ends it. */
export async function stream(
  response: Response,
  type: string,
  chunks: AsyncGenerator<string>,
): Promise<undefined> {
  const first = await chunks.next();
  response.type(type).set('Cache-Control', 'private, max-age=5');
  try {
    await pipeline(Readable.from(after(first, chunks)), response);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
  return undefined;
}

async function* after(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
