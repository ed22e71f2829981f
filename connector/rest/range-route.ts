// Values of one device and metric over time: JSON in pages, CSV and NDJSON as streams.
import type { Response } from 'express';
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import {
  hasPercentiles,
  seriesPage,
  type Level,
  type SeriesRange,
  type SeriesRow,
} from '../db/query-readings.ts';
import { farmSchema, theSeries } from './lookup.ts';
import { momentSchema, wholeSpanIn } from './moments.ts';
import { wrongField } from './problem.ts';
import { stream, textOf } from './range-stream.ts';
import { route, type Route } from './route.ts';
import { fillGaps, fromCursor, levelFor, linesOf, toCursor, toPoint, type SeriesPoint } from './series.ts';

const number = z.number().optional();
const percentile = z
  .number()
  .nullish()
  .describe(
    'With percentiles=true; null while it is not worked out, or was not when the readings were dropped',
  );
const pointSchema = z.strictObject({
  time: z.iso.datetime(),
  value: z.number().describe('Of buckets the mean'),
  quality: z.int().optional().describe('Raw values only; 0 is good'),
  n: z.int().optional(),
  min: number,
  max: number,
  first: number,
  last: number,
  stddev: z.number().nullish(),
  p05: percentile,
  median: percentile,
  p95: percentile,
  interpolated: z.literal(true).optional().describe('Not measured'),
});
const querySchema = z.strictObject({
  device_uid: z.string(),
  metric_name: z.string(),
  farm: farmSchema,
  start: momentSchema.optional().describe('A day before end without it'),
  end: momentSchema.optional().describe('Now without it; inclusive'),
  aggregation: z.enum(['auto', 'raw', '15min', 'hourly', 'daily']).default('auto'),
  format: z.enum(['json', 'csv', 'ndjson']).default('json'),
  fill: z
    .enum(['none', 'linear'])
    .default('none')
    .describe('linear: buckets without values are interpolated and marked'),
  percentiles: z
    .stringbool()
    .default(false)
    .describe('Hours and days with p05, median and p95, which follow within the hour'),
  limit: z.coerce.number().int().min(1).max(100_000).default(10_000).describe('Values a page, JSON only'),
  cursor: z.string().optional().describe('next_cursor of the previous page'),
});
type RangeQuery = z.output<typeof querySchema>;

/** The route. */
export function rangeRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/query/sensor/range',
    tag: 'Query',
    summary: 'Values of a device and metric over time',
    description:
      'Up to a day the raw values, up to 14 days means of 15 minutes, up to 90 days of hours, else of days (UTC), unless ' +
      'aggregation says otherwise. JSON comes in pages (next_cursor); CSV and NDJSON are streams of the whole range.',
    query: querySchema,
    example: { query: { device_uid: 'tank_1', metric_name: 'temperature', start: '2026-11-01' } },
    renamed: {
      input: { farm: 'farm_id', start: 'start_time', end: 'end_time' },
      output: { farm: 'farm_id' },
    },
    cache: 'private, max-age=5',
    answer: z.strictObject({
      device_uid: z.string(),
      farm: z.string(),
      metric_name: z.string(),
      metric_unit: z.string(),
      aggregation: z.enum(['raw', '15min', 'hourly', 'daily']),
      data: z.array(pointSchema),
      next_cursor: z.string().nullable(),
    }),
    media: {
      'text/csv': 'format=csv: a head line, then a line a value',
      'application/x-ndjson': 'format=ndjson: an object a line',
    },
    async handle({ query, response }) {
      const { device, metric } = await theSeries(db, query.device_uid, query.farm, query.metric_name);
      const { level, start, end } = bucketsOf(
        query,
        await wholeSpanIn(db, query, device.farm, { lastMs: 86_400_000 }),
      );
      const { percentiles } = query;
      const range = { deviceId: device.id, metricId: metric.id, level, start, end, percentiles };
      if (query.format !== 'json') return streamOf(db, response, query.format, range, query);
      return {
        device_uid: query.device_uid,
        farm: device.farm,
        metric_name: query.metric_name,
        metric_unit: metric.unit,
        aggregation: level,
        ...(await pageOf(db, range, query)),
      };
    },
  });
}

/** From when to when, and in which buckets. Throws problem 400 for what does not go together. */
function bucketsOf(
  query: RangeQuery,
  { start, end }: { start: Date; end: Date },
): { level: Level; start: Date; end: Date } {
  const level = query.aggregation === 'auto' ? levelFor(end.getTime() - start.getTime()) : query.aggregation;
  if (query.fill === 'linear' && level === 'raw')
    throw wrongField('fill', 'raw values are not interpolated; choose an aggregation');
  if (query.percentiles && !hasPercentiles(level))
    throw wrongField('percentiles', 'only hourly and daily values have them; choose an aggregation');
  return { level, start, end };
}

type Range = Omit<SeriesRange, 'cursor'>;
type Place = { time: Date; value: number } | undefined;

const startOf = ({ cursor }: RangeQuery): Place => (cursor === undefined ? undefined : fromCursor(cursor));

const pointsOf = (
  rows: readonly SeriesRow[],
  before: Place,
  { level }: Range,
  { fill }: RangeQuery,
): SeriesPoint[] =>
  fill === 'linear' && level !== 'raw' ? fillGaps(rows, level, before) : rows.map(toPoint);

async function pageOf(
  db: Queryable,
  range: Range,
  query: RangeQuery,
): Promise<{ data: SeriesPoint[]; next_cursor: string | null }> {
  const from = startOf(query);
  // One more than asked for says whether there is a next page.
  const rows = await seriesPage(db, { ...range, cursor: from?.time }, query.limit + 1);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    data: pointsOf(page, from, range, query),
    next_cursor: rows.length > page.length && last !== undefined ? toCursor(last) : null,
  };
}

function streamOf(
  db: Queryable,
  response: Response,
  format: 'csv' | 'ndjson',
  range: Range,
  query: RangeQuery,
): Promise<undefined> {
  const { head, line } = linesOf(format, range.level, range.percentiles);
  const text = (rows: readonly SeriesRow[], before: Place) =>
    pointsOf(rows, before, range, query).map(line).join('');
  return stream(
    response,
    format === 'csv' ? 'text/csv' : 'application/x-ndjson',
    textOf(db, range, startOf(query), text, head),
  );
}
