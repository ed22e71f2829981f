// Queries of one device's values: the latest, and ranges as pages or streams.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { ingestionCounts } from '../db/query-devices.ts';
import {
  hasPercentiles,
  latestReadings,
  seriesPage,
  type SeriesRange,
  type SeriesRow,
} from '../db/query-readings.ts';
import { farmSchema, momentSchema, theDevice, theSeries } from './lookup.ts';
import { HttpError } from './problem.ts';
import { route, type Route } from './route.ts';
import { fillGaps, fromCursor, levelFor, linesOf, toCursor, toPoint, type SeriesPoint } from './series.ts';

const tag = 'Query';
const number = z.number().optional();
const percentile = z
  .number()
  .nullish()
  .describe(
    'With percentiles=true; null while it is not worked out, or was not when the readings were dropped',
  );
const reading = {
  metric_name: z.string(),
  metric_value: z.number(),
  metric_unit: z.string(),
  time: z.iso.datetime(),
  quality: z.int().describe('0 is good'),
};
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
/** Rows read at once for a stream: about a megabyte of text. */
const streamPage = 10_000;

/** The routes. `waiting` is how many messages are received and not yet committed. */
export function queryRoutes(db: Queryable, waiting: () => number): Route[] {
  const counts = remembered(() => ingestionCounts(db), 15_000);
  return [
    route({
      method: 'get',
      path: '/api/v1/query/sensor/latest/{device_uid}',
      tag,
      summary: 'The latest value of a device, and of each of its metrics',
      params: z.object({ device_uid: z.string() }),
      query: z.strictObject({ farm_id: farmSchema }),
      answer: z.strictObject({
        device_uid: z.string(),
        farm_id: z.string(),
        device_type: z.string(),
        ...reading,
        readings: z.array(z.strictObject(reading)).describe('Newest first'),
      }),
      async handle({ params: { device_uid: uid }, query }) {
        const device = await theDevice(db, uid, query.farm_id);
        const readings = await latestReadings(db, device.id, device.heardAt);
        if (readings[0] === undefined)
          throw new HttpError(404, `device ${device.farm}/${uid} has no readings yet`);
        return {
          device_uid: uid,
          farm_id: device.farm,
          device_type: device.deviceType,
          ...readings[0],
          readings,
        };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/query/sensor/range',
      tag,
      summary: 'Values of a device and metric over time',
      description:
        'Up to a day the raw values, up to 14 days means of 15 minutes, up to 90 days of hours, else of days (UTC), unless ' +
        'aggregation says otherwise. JSON comes in pages (next_cursor); CSV and NDJSON are streams of the whole range.',
      query: z.strictObject({
        device_uid: z.string(),
        metric_name: z.string(),
        farm_id: farmSchema,
        start_time: momentSchema.optional().describe('A day before end_time without it'),
        end_time: momentSchema.optional().describe('Now without it; inclusive'),
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
        limit: z.coerce
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(10_000)
          .describe('Values a page, JSON only'),
        cursor: z.string().optional().describe('next_cursor of the previous page'),
      }),
      cache: 'private, max-age=5',
      answer: z.strictObject({
        device_uid: z.string(),
        farm_id: z.string(),
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
        const until = query.end_time ?? new Date();
        const since = query.start_time ?? new Date(until.getTime() - 86_400_000);
        if (since > until) throw new HttpError(400, 'start_time: is after end_time');
        const level =
          query.aggregation === 'auto' ? levelFor(until.getTime() - since.getTime()) : query.aggregation;
        if (query.fill === 'linear' && level === 'raw')
          throw new HttpError(400, 'fill: raw values are not interpolated; choose an aggregation');
        if (query.percentiles && !hasPercentiles(level))
          throw new HttpError(
            400,
            'percentiles: only hourly and daily values have them; choose an aggregation',
          );
        const { device, metric } = await theSeries(db, query.device_uid, query.farm_id, query.metric_name);
        const last = query.cursor === undefined ? undefined : fromCursor(query.cursor);
        const { percentiles } = query;
        const range = { deviceId: device.id, metricId: metric.id, level, since, until, percentiles };
        const points = (rows: readonly SeriesRow[], before: typeof last): SeriesPoint[] =>
          query.fill === 'linear' && level !== 'raw' ? fillGaps(rows, level, before) : rows.map(toPoint);
        if (query.format !== 'json') {
          const { head, line } = linesOf(query.format, level, percentiles);
          return stream(
            response,
            query.format === 'csv' ? 'text/csv' : 'application/x-ndjson',
            textOf(db, range, last, (rows, before) => points(rows, before).map(line).join(''), head),
          );
        }
        // One more than asked for says whether there is a next page.
        const rows = await seriesPage(db, { ...range, after: last?.time }, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const end = page.at(-1);
        return {
          device_uid: query.device_uid,
          farm_id: device.farm,
          metric_name: query.metric_name,
          metric_unit: metric.unit,
          aggregation: level,
          data: points(page, last),
          next_cursor: rows.length > page.length && end !== undefined ? toCursor(end) : null,
        };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/stats/ingestion',
      tag,
      summary: 'How much came in lately',
      description:
        'Readings of good quality, in whole buckets of 15 minutes and hours; counted every 15 s at most.',
      cache: 'private, max-age=15',
      answer: z.strictObject({
        readings_last_hour: z.int(),
        readings_last_24h: z.int(),
        active_devices: z.int().describe('Heard within 5 minutes'),
        dead_letters_last_24h: z.int(),
        dead_letters_waiting: z.int().describe('Not replayed'),
        buffer_size: z.int().describe('Messages received and not yet committed'),
      }),
      handle: async () => ({ ...(await counts()), buffer_size: waiting() }),
    }),
  ];
}

/** Asks at most once in `ms`: sums over all devices are dear, and every dashboard asks for them. A failure is not remembered. */
function remembered<T>(ask: () => Promise<T>, ms: number): () => Promise<T> {
  let known: { at: number; answer: Promise<T> } | undefined;
  return async () => {
    known = known !== undefined && Date.now() - known.at < ms ? known : { at: Date.now(), answer: ask() };
    try {
      return await known.answer;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}

/** The text of a range, page by page: memory holds one page, whatever the range. */
async function* textOf(
  db: Queryable,
  range: Omit<SeriesRange, 'after'>,
  from: { time: Date; value: number } | undefined,
  text: (rows: readonly SeriesRow[], before: { time: Date; value: number } | undefined) => string,
  head: string,
): AsyncGenerator<string> {
  // Read before the head line goes out: what fails here is still a problem with a status of its own.
  let before = from;
  let rows = await seriesPage(db, { ...range, after: before?.time }, streamPage);
  if (head !== '') yield head;
  while (rows.length > 0) {
    yield text(rows, before);
    before = rows.at(-1);
    rows =
      rows.length < streamPage ? [] : await seriesPage(db, { ...range, after: before?.time }, streamPage);
  }
}

/** Sends a stream as fast as the client takes it; one that goes away ends it. */
async function stream(response: Response, type: string, chunks: AsyncGenerator<string>): Promise<undefined> {
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
