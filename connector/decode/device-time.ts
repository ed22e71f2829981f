// Times that cannot be: a device's clock that is ahead, or was never set. What it says is not lost: the moment of arrival counts, marked.
import { quality } from '../../contract/envelope.ts';
import type { DecodedData, DecodedPoint } from './decoded.ts';

/** How far from its arrival a measurement may be. */
export interface TimeLimits {
  maxFutureMs: number;
  maxPastMs: number;
}

/** Before this nothing measured for us: what says so has a clock that starts at 1970, 1980 or 2000. */
const firstMs = Date.UTC(2026, 0, 1);

/** Whether a moment (epoch ms) can only come from a wrong clock. */
export function isWrongClock(time: number, now: number, limits: TimeLimits): boolean {
  return time > now + limits.maxFutureMs || (time < firstMs && time < now - limits.maxPastMs);
}

/** Why a measurement of that moment is not taken although its clock may be right; undefined when it is. */
export function tooOld(time: number, now: number, limits: TimeLimits): string | undefined {
  if (time >= now - limits.maxPastMs || isWrongClock(time, now, limits)) return undefined;
  return `time ${new Date(time).toISOString()} is further back than data is kept`;
}

/**
 * Puts the moment of arrival in place of times that cannot be. Such times keep their distances: the latest of them is the moment of
 * arrival (`at`, where that can be), the others lie as long before it as the device says. A string is why nothing is taken.
 */
export function settleTimes(data: DecodedData, now: number, limits: TimeLimits): string | undefined {
  const { at, points } = data;
  if (at === undefined || isPlausible(at, points, now, limits)) return undefined;
  const times = [at, ...points.map((point) => point.time)];
  for (const time of times) {
    const reason = tooOld(time, now, limits);
    if (reason !== undefined) return reason;
  }
  const isWrong = (time: number) => isWrongClock(time, now, limits);
  const wrong = times.filter(isWrong);
  if (wrong.length === 0) return undefined;
  const newest = wrong.reduce((latest, time) => Math.max(latest, time));
  const isAtWrong = isWrong(at);
  for (const point of points) {
    if (!isWrong(point.time)) continue;
    const ageMs = newest - point.time;
    // Years apart, two clocks were wrong: the distance says nothing.
    place(point, isAtWrong ? undefined : at, ageMs > limits.maxPastMs ? 0 : ageMs);
  }
  if (isAtWrong) {
    data.at = undefined;
    data.saidAt = newest;
  }
  return undefined;
}

/** Nearly every message: nothing in it is too old or too new. */
function isPlausible(at: number, points: readonly DecodedPoint[], now: number, limits: TimeLimits): boolean {
  const [oldest, newest] = [now - limits.maxPastMs, now + limits.maxFutureMs];
  if (at < oldest || at > newest) return false;
  for (const { time } of points) if (time < oldest || time > newest) return false;
  return true;
}

function place(point: DecodedPoint, at: number | undefined, ageMs: number): void {
  if (at === undefined) point.time = Number.NaN;
  else point.time = at - ageMs;
  if (at === undefined && ageMs > 0) point.ageMs = ageMs;
  if (point.quality === quality.good) point.quality = quality.clockUnsynchronised;
}
