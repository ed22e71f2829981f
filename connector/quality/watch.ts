// Watches each sensor's values: jumps faster than the metric can change, and values that do not move for too long.
import { quality } from '../../contract/envelope.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import type { DecodedPoint } from '../decode/decoded.ts';
import { remember } from './bounded.ts';

/** Marks points of a device in the order of their arrival. Points that are marked already stay as they are. */
export interface QualityWatch {
  /** Takes the limits of another catalogue. */
  use(catalogue: MetricCatalogue): void;
  mark(device: string, points: DecodedPoint[]): void;
}

/** What is remembered of one metric of one device. `since`: when it took this value; `n`: how often it was said. */
interface Last {
  time: number;
  value: number;
  since: number;
  n: number;
}

/** Values further apart say nothing about how fast one became the other. */
const longestStepMs = 3_600_000;
/** A sensor that reports so seldom is not called stuck by fewer values. */
const leastSame = 5;

/**
 * Makes a watch for the metrics whose catalogue entry has `max_per_minute` or `stuck_minutes`.
 * Its memory starts empty: after a restart the first value of a sensor is taken as it is.
 */
export function createQualityWatch(catalogue: MetricCatalogue): QualityWatch {
  let limits = limitsOf(catalogue);
  const devices = new Map<string, Map<string, Last>>();
  return {
    use: (next) => void (limits = limitsOf(next)),
    mark(device, points) {
      for (const point of points) {
        const limit = limits.get(point.metric);
        if (limit === undefined || point.quality !== quality.good) continue;
        let known = devices.get(device);
        if (known === undefined) remember(devices, device, (known = new Map<string, Last>()));
        const last = known.get(point.metric);
        // Late data is not compared: its neighbours are in the database, not here.
        if (last !== undefined && point.time <= last.time) continue;
        if (last !== undefined) point.quality = judge(last, point, limit);
        const same = last?.value === point.value;
        known.set(point.metric, {
          time: point.time,
          value: point.value,
          since: same ? last.since : point.time,
          n: same ? last.n + 1 : 1,
        });
      }
    },
  };
}

interface WatchLimit {
  perMs: number;
  stuckMs: number;
}

function limitsOf(catalogue: MetricCatalogue): ReadonlyMap<string, WatchLimit> {
  const limits = new Map<string, WatchLimit>();
  for (const [name, { max_per_minute: perMinute, stuck_minutes: minutes }] of catalogue) {
    if (perMinute === undefined && minutes === undefined) continue;
    limits.set(name, { perMs: (perMinute ?? Infinity) / 60_000, stuckMs: (minutes ?? Infinity) * 60_000 });
  }
  return limits;
}

function judge(last: Last, { time, value }: DecodedPoint, limit: WatchLimit): number {
  const elapsedMs = time - last.time;
  if (elapsedMs <= longestStepMs && Math.abs(value - last.value) > limit.perMs * elapsedMs)
    return quality.rateOfChange;
  if (value === last.value && last.n + 1 >= leastSame && time - last.since > limit.stuckMs)
    return quality.stuck;
  return quality.good;
}
