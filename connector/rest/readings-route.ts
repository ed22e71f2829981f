// Readings as a collection: everything of a span, by device, metric and time.
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { listReadings, type ReadingRow } from '../db/query-collections.ts';
import { farmSchema } from './lookup.ts';
import { momentSchema, wholeSpanIn } from './moments.ts';
import { fromCursor, lastOf, nextCursor, textCursor, toCursor } from './page.ts';
import { route, type Route } from './route.ts';

const toReading = ({
  farm,
  device_uid,
  metric_name,
  metric_value,
  metric_unit,
  time,
  quality,
}: ReadingRow) => ({
  farm,
  device_uid,
  metric_name,
  metric_value,
  metric_unit,
  time: time.toISOString(),
  quality,
});

/** The route. */
export function readingsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/readings',
    tag: 'Collections',
    summary: 'Readings of all devices, by device, metric and time',
    description:
      'For taking over everything of a span. One series over time is faster, and coarser where that is enough, from ' +
      '/api/v1/query/sensor/range.',
    query: z.strictObject({
      farm: farmSchema,
      device_uid: z.string().max(64).optional(),
      metric_name: z.string().max(64).optional(),
      start: momentSchema.optional().describe('An hour before end without it'),
      end: momentSchema
        .optional()
        .describe('Now without it; inclusive. State it when you ask for more than one page'),
      limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe('Rows a page'),
      cursor: textCursor,
    }),
    example: { query: { farm: 'farm1', metric_name: 'temperature', limit: '50' } },
    answer: z.strictObject({
      readings: z.array(
        z.strictObject({
          farm: z.string(),
          device_uid: z.string(),
          metric_name: z.string(),
          metric_value: z.number(),
          metric_unit: z.string(),
          time: z.iso.datetime(),
          quality: z.int().describe('0 is good'),
        }),
      ),
      next_cursor: nextCursor,
    }),
    async handle({ query }) {
      const { start, end } = await wholeSpanIn(db, query, query.farm, { lastMs: 3_600_000 });
      const [deviceId, metricId, at] = fromCursor(query.cursor, ['integer', 'smallint', 'moment']) ?? [];
      const cursor =
        deviceId === undefined || metricId === undefined || at === undefined
          ? undefined
          : { deviceId, metricId, time: new Date(at) };
      const filter = { farm: query.farm, deviceUid: query.device_uid, metric: query.metric_name };
      const rows = await listReadings(db, { ...filter, start, end, cursor }, query.limit);
      const last = lastOf(rows, query.limit);
      return {
        readings: rows.map(toReading),
        next_cursor:
          last === undefined ? null : toCursor([last.deviceId, last.metricId, last.time.getTime()]),
      };
    },
  });
}
