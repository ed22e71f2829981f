// Moments as parameters: with an offset, or as people of a farm write them, by its clock.
import * as z from 'zod';
import { momentInZone } from '../../contract/zone.ts';
import type { Queryable } from '../db/pool.ts';
import { farmZones } from '../db/query-zones.ts';
import { wrongField } from './problem.ts';

/** A moment, or what a farm's clock shows then (as epoch milliseconds of UTC). */
type Said = Date | { local: number };

/** A moment as a parameter; `spanIn` says which one it is. A date is its midnight. */
export const momentSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.datetime({ local: true }), z.iso.date()])
  .transform((text): Said =>
    /T.*(Z|[+-]\d\d:\d\d)$/.test(text)
      ? new Date(text)
      : { local: Date.parse(text.includes('T') ? `${text}Z` : text) },
  );

/**
 * From when to when a query asks. What has no offset is local time of `farm`; without a farm that of all, and a problem 400
 * where they have several time zones. Throws the same for a start after the end.
 */
export async function spanIn(
  db: Queryable,
  asked: { start?: Said | undefined; end?: Said | undefined },
  farm: string | undefined,
): Promise<{ start: Date | undefined; end: Date | undefined }> {
  const isLocal = [asked.start, asked.end].some((said) => said !== undefined && !(said instanceof Date));
  const zones = isLocal ? await farmZones(db, farm) : [];
  const momentOf = (name: 'start' | 'end'): Date | undefined => {
    const said = asked[name];
    if (said === undefined || said instanceof Date) return said;
    const [zone = 'UTC', ...others] = zones;
    if (others.length > 0)
      throw wrongField(
        name,
        `has no UTC offset, and farms are in ${zones.join(', ')}: add one, or name the farm`,
      );
    return new Date(momentInZone(said.local, zone).time);
  };
  const [start, end] = [momentOf('start'), momentOf('end')];
  if (start !== undefined && end !== undefined && start > end) throw wrongField('start', 'is after end');
  return { start, end };
}

/** The same for a query that always has a span: without an end it is `end`, without a start `lastMs` before the end. */
export async function wholeSpanIn(
  db: Queryable,
  asked: Parameters<typeof spanIn>[1],
  farm: string | undefined,
  { lastMs, end = new Date() }: { lastMs: number; end?: Date },
): Promise<{ start: Date; end: Date }> {
  const said = await spanIn(db, asked, farm);
  const until = said.end ?? end;
  const start = said.start ?? new Date(until.getTime() - lastMs);
  if (start > until) throw wrongField('start', 'is after end');
  return { start, end: until };
}
