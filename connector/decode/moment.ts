// Moments as devices write them, into epoch milliseconds.
import { momentInZone } from '../../contract/zone.ts';

/** ISO 8601 with an offset, `YYYY-MM-DD HH:MM:SS+06:00`, epoch seconds or milliseconds; undefined when it is none. */
export function parseMoment(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) {
    // 1e11 s is the year 5138 and 1e11 ms is 1973: no device needs either.
    return Math.round(Math.abs(value) < 1e11 ? value * 1000 : value);
  }
  if (typeof value !== 'string') return undefined;
  const usual = usualMoment(value);
  if (usual !== undefined) return usual;
  const written = writtenMoment(value);
  return written?.offset === undefined ? undefined : written.local - written.offset;
}

/** A moment, and whether there is no other that it could be; or why it is none. */
export type Moment = { time: number; isExact: boolean } | { problem: string; isLocal: boolean };

/** As parseMoment; what says no offset is the local time of `zone`, and without a zone nothing. */
export function momentIn(value: unknown, zone: () => string | undefined): Moment {
  const time = parseMoment(value);
  if (time !== undefined) return { time, isExact: true };
  const written = typeof value === 'string' ? writtenMoment(value) : undefined;
  if (written === undefined) return { problem: 'is not a time', isLocal: false };
  const name = zone();
  return name === undefined ? { problem: zoneNeeded, isLocal: true } : momentInZone(written.local, name);
}

const zoneNeeded =
  'has no UTC offset, and no time zone is known: give the profile, the device or the farm (milk.timezone) one, or let the device say it';

/** What a text says, as if it were UTC, and its offset in ms. */
function writtenMoment(text: string): { local: number; offset: number | undefined } | undefined {
  const match =
    /^(\d{4}-\d{2}-(\d{2}))[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(?:(Z)|([+-])(\d{2}):?(\d{2}))?$/i.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, day = '', dayOfMonth, clock = '', utc, sign, hours, minutes] = match;
  // Date.parse takes the 30th of February for the 2nd of March.
  if (new Date(Date.parse(day)).getUTCDate() !== Number(dayOfMonth)) return undefined;
  const local = Date.parse(`${day}T${clock}Z`);
  if (Number.isNaN(local) || Number(hours ?? 0) > 23 || Number(minutes ?? 0) > 59) return undefined;
  if (utc !== undefined) return { local, offset: 0 };
  if (sign === undefined) return { local, offset: undefined };
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return { local, offset: sign === '-' ? -ahead : ahead };
}

/** What nearly every device writes, `2026-11-20T05:42:10.123Z`, at a fifth of the general way's 1 µs. */
function usualMoment(text: string): number | undefined {
  const isUsual =
    (text.length === 20 || text.length === 24) &&
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text.endsWith('Z') &&
    // The 29th and later may not exist in that month, which the general way knows.
    text.slice(8, 10) < '29';
  const time = isUsual ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
