// Moments as devices write them, into epoch milliseconds.

/** ISO 8601 with or without offset (without: UTC), `YYYY-MM-DD HH:MM:SS`, epoch seconds or milliseconds; undefined when it is none. */
export function parseMoment(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) {
    // 1e11 s is the year 5138 and 1e11 ms is 1973: no device needs either.
    return Math.round(Math.abs(value) < 1e11 ? value * 1000 : value);
  }
  if (typeof value !== 'string') return undefined;
  const usual = usualMoment(value);
  if (usual !== undefined) return usual;
  const match = /^(\d{4}-\d{2}-(\d{2}))[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?$/i.exec(
    value.trim(),
  );
  if (match === null) return undefined;
  const [, day = '', dayOfMonth, clock = '', zone = 'Z'] = match;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  // Date.parse takes the 30th of February for the 2nd of March.
  if (new Date(Date.parse(day)).getUTCDate() !== Number(dayOfMonth)) return undefined;
  const time = Date.parse(`${day}T${clock}${offset}`);
  return Number.isNaN(time) ? undefined : time;
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
