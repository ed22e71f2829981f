// Time zones by their IANA names, and moments of clocks that show local time.
import * as z from 'zod';

/** An IANA time zone. */
export const zoneSchema = z.string().refine(isTimeZone, 'not an IANA time zone such as Asia/Dhaka');

function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Zones in use; the configuration names them, so they are few. */
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** How far a zone is ahead of UTC at a moment, ms. */
function offsetAt(zone: string, time: number): number {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(time)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000;
}

const dayMs = 86_400_000;

/**
 * The moment (epoch ms) at which clocks of a zone show `local` (as if it were UTC, epoch ms). What they show twice, when they are set
 * back, is taken the first time; what they never show, when they are set forward, goes on with the time before. Neither is exact.
 */
export function momentInZone(local: number, zone: string): { time: number; isExact: boolean } {
  const before = local - offsetAt(zone, local - dayMs);
  const after = local - offsetAt(zone, local + dayMs);
  const isShown = (time: number) => time + offsetAt(zone, time) === local;
  const shown = [...new Set([before, after])].filter(isShown);
  const [only] = shown;
  if (only === undefined) return { time: before, isExact: false };
  return { time: Math.min(...shown), isExact: shown.length === 1 };
}
