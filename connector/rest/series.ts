// A series of values for queries: which level fits a span, gaps filled on request, cursors, and the text of each format.
import * as z from 'zod';
import { bucketMs, type Level, type SeriesRow } from '../db/query-readings.ts';
import { wrongField } from './problem.ts';

/** A value as it is answered. `interpolated` ones were never measured. */
export interface SeriesPoint extends Omit<SeriesRow, 'time'> {
  time: string;
  interpolated?: true;
}

const dayMs = 86_400_000;

/** The level that gives a span a readable number of values: at most some thousand. */
export function levelFor(spanMs: number): Level {
  if (spanMs <= dayMs) return 'raw';
  if (spanMs <= 14 * dayMs) return '15min';
  return spanMs <= 90 * dayMs ? 'hourly' : 'daily';
}

export const toPoint = ({ time, ...rest }: SeriesRow): SeriesPoint => ({ time: time.toISOString(), ...rest });

/** Rows as points; between two of them that are more than one bucket apart, values on the straight line, marked. */
export function fillGaps(
  rows: readonly SeriesRow[],
  level: Exclude<Level, 'raw'>,
  before: { time: Date; value: number } | undefined,
): SeriesPoint[] {
  const step = bucketMs[level];
  const points: SeriesPoint[] = [];
  let previous = before;
  for (const row of rows) {
    if (previous !== undefined) {
      const start = previous.time.getTime();
      const span = row.time.getTime() - start;
      for (let at = step; at < span; at += step)
        points.push({
          time: new Date(start + at).toISOString(),
          value: previous.value + ((row.value - previous.value) * at) / span,
          interpolated: true,
        });
    }
    points.push(toPoint(row));
    previous = row;
  }
  return points;
}

const cursorSchema = z.tuple([z.number(), z.number()]);

/** Where the next page begins: the last row of this one. */
export const toCursor = (last: { time: Date; value: number }): string =>
  Buffer.from(JSON.stringify([last.time.getTime(), last.value])).toString('base64url');

/** Reads a cursor back; throws problem 400 for what is none. */
export function fromCursor(cursor: string): { time: Date; value: number } {
  try {
    const [time, value] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { time: new Date(time), value };
  } catch {
    throw wrongField('cursor', 'take next_cursor of the previous answer as it is');
  }
}

const columns = [
  'time',
  'value',
  'quality',
  'n',
  'min',
  'max',
  'first',
  'last',
  'stddev',
  'p05',
  'median',
  'p95',
  'interpolated',
] as const;
const percentileColumns: readonly string[] = ['p05', 'median', 'p95'];

/** Lines of a format, head line included; numbers and times need no quoting in CSV. */
export function linesOf(
  format: 'csv' | 'ndjson',
  level: Level,
  percentiles: boolean,
): { head: string; line: (point: SeriesPoint) => string } {
  if (format === 'ndjson') return { head: '', line: (point) => `${JSON.stringify(point)}\n` };
  const used = columns.filter((name) =>
    level === 'raw'
      ? ['time', 'value', 'quality'].includes(name)
      : name !== 'quality' && (percentiles || !percentileColumns.includes(name)),
  );
  return {
    head: `${used.join(',')}\n`,
    line: (point) => `${used.map((name) => point[name] ?? '').join(',')}\n`,
  };
}
