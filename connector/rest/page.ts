// Pages of collections: how many rows, where the next page begins, and the words for both.
import * as z from 'zod';
import { wrongField } from './problem.ts';

/** The cursor of a page that is followed by another one: made of its last row. */
export const toCursor = (place: readonly number[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

const placeSchema = z.array(z.int());

/** Largest numbers that the parts of a cursor may be. */
const most = {
  moment: 8.64e15,
  integer: 2_147_483_647,
  smallint: 32_767,
  bigint: Number.MAX_SAFE_INTEGER,
} as const;

/** Reads a cursor back, a number for each of `parts`; undefined without one. Throws problem 400 for what is none. */
export function fromCursor(
  cursor: string | undefined,
  parts: readonly (keyof typeof most)[],
): number[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const place = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    const isPossible = (part: number, index: number) => Math.abs(part) <= most[parts[index] ?? 'moment'];
    if (place.length === parts.length && place.every(isPossible)) return place;
  } catch {
    // As one that has another length.
  }
  throw wrongField('cursor', 'take next_cursor of the previous answer as it is');
}

export const pageLimit = z.coerce.number().int().min(1).max(1_000).default(100).describe('Rows a page');
export const idCursor = z.coerce
  .number()
  .int()
  .min(0)
  .max(most.integer)
  .optional()
  .describe('next_cursor of the previous page');
export const textCursor = z.string().optional().describe('next_cursor of the previous page');
export const nextId = z.int().nullable().describe('null on the last page');
export const nextCursor = z.string().nullable().describe('null on the last page');

/** The last row of a full page; undefined where nothing can follow. */
export const lastOf = <Row>(rows: readonly Row[], limit: number): Row | undefined =>
  rows.length === limit ? rows.at(-1) : undefined;
