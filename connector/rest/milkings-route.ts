// Milkings as a collection: by time, animal, farm and meter.
import * as z from 'zod';
import { milkSessionRecordSchema } from '../../contract/records.ts';
import type { Queryable } from '../db/pool.ts';
import { listMilkings } from '../db/query-collections.ts';
import { animalSchema, farmSchema, flag, isTrue } from './lookup.ts';
import { momentSchema, spanIn } from './moments.ts';
import { fromCursor, lastOf, nextCursor, pageLimit, textCursor, toCursor } from './page.ts';
import { route, type Route } from './route.ts';

/** The route. */
export function milkingsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/milkings',
    tag: 'Collections',
    summary: 'Milkings by time and animal, the last first, as Odoo gets them',
    query: z.strictObject({
      farm: farmSchema,
      device_uid: z.string().max(64).optional(),
      animal: animalSchema,
      complete: flag.describe('true: only those whose end is known'),
      start: momentSchema.optional().describe('Begun from then on'),
      end: momentSchema.optional().describe('Begun until then, inclusive'),
      limit: pageLimit,
      cursor: textCursor,
    }),
    example: { query: { farm: 'farm1', animal: '050000000000001', start: '2026-11-01', limit: '50' } },
    answer: z.strictObject({
      milkings: z.array(
        z.strictObject({ source_id: z.string(), revision: z.int(), record: milkSessionRecordSchema }),
      ),
      next_cursor: nextCursor,
    }),
    async handle({ query }) {
      const { start, end } = await spanIn(db, query, query.farm);
      const [at, id] = fromCursor(query.cursor, ['moment', 'bigint']) ?? [];
      const cursor = at === undefined || id === undefined ? undefined : { startedAt: new Date(at), id };
      const filter = {
        farm: query.farm,
        deviceUid: query.device_uid,
        animal: query.animal,
        complete: isTrue(query.complete),
      };
      const rows = await listMilkings(db, { ...filter, start, end, cursor }, query.limit);
      const last = lastOf(rows, query.limit);
      return {
        milkings: rows.map(({ source_id, revision, record }) => ({ source_id, revision, record })),
        next_cursor: last === undefined ? null : toCursor([last.startedAt.getTime(), last.id]),
      };
    },
  });
}
