// Whether values are new, repeated, or say something else about a moment that has a value already. No I/O.
import { quality } from '../../contract/envelope.ts';
import { readingKey, type StoredValue } from '../db/readings.ts';
import type { DecodedPoint } from '../decode/decoded.ts';

/** A device's message; `rows` are its readings that are first in their batch. */
interface Told {
  device: { id: number };
  data: { points: readonly DecodedPoint[] };
  rows: readonly unknown[];
}

/** `before`: the value that the moment had, when another one came. */
export type Verdict = 'new' | 'same' | { before: StoredValue };

/** Whether a value counts: one whose clock was not set says when wrongly, not what. */
export const isUsable = (value: { quality: number }) =>
  value.quality === quality.good || value.quality === quality.clockUnsynchronised;

/**
 * Which of two values of one moment is kept: a usable one before a doubtful one, then the larger one. It must not depend on which
 * came first. An equal value is a repetition, even where we judge it otherwise than the first time.
 */
export function isBetter(value: StoredValue, than: StoredValue): boolean {
  if (value.value === than.value) return false;
  return isUsable(value) === isUsable(than) ? value.value > than.value : isUsable(value);
}

/** Tells of each message's points what they are; undefined where all are new, as in most batches. */
export function verdictsOf(
  data: readonly Told[],
  existing: ReadonlyMap<string, StoredValue>,
  metricIds: ReadonlyMap<string, number>,
): Verdict[][] | undefined {
  if (existing.size === 0 && data.every(({ rows, data: { points } }) => rows.length === points.length))
    return undefined;
  const kept = new Map(existing);
  return data.map(({ device, data: { points } }) =>
    points.map((point): Verdict => {
      const metricId = metricIds.get(point.metric);
      if (metricId === undefined) return 'same';
      const key = readingKey(device.id, metricId, point.time);
      const before = kept.get(key);
      if (before === undefined || isBetter(point, before)) kept.set(key, point);
      if (before === undefined) return 'new';
      return before.value === point.value ? 'same' : { before };
    }),
  );
}
