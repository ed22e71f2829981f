// What differs between records of the database and of Odoo, and what follows: pure.

/** A record as the database has it. */
export interface OwnRecord {
  sourceId: string;
  revision: number;
  /** Of its content; undefined when it cannot be sent as it is. */
  hash: string | undefined;
  /** Not under way to Odoo, not parked, not given up. */
  isSettled: boolean;
}

/** A record as Odoo has it. */
export interface OdooRevision {
  revision: number;
  /** Undefined when Odoo does not know: written by hand, or by a connector of a former version. */
  hash: string | undefined;
}

/** A record that goes out again, in this revision. */
export interface Again {
  sourceId: string;
  revision: number;
}

/** What a comparison found. */
export interface Difference {
  /** Records that differ, those under way included. */
  differing: number;
  again: Again[];
  /** Of `again`: those whose revision had to be raised above Odoo's. */
  raised: Again[];
  /** Records of Odoo that the database does not have. */
  surplus: number;
}

/** Compares revisions and contents. Odoo takes only a revision above its own, or its own where it does not know the content. */
export function compareRecords(
  own: readonly OwnRecord[],
  inOdoo: ReadonlyMap<string, OdooRevision>,
): Difference {
  const found: Difference = { differing: 0, again: [], raised: [], surplus: 0 };
  const known = new Set(own.map(({ sourceId }) => sourceId));
  found.surplus = [...inOdoo.keys()].filter((sourceId) => !known.has(sourceId)).length;
  for (const { sourceId, revision, hash, isSettled } of own) {
    const other = inOdoo.get(sourceId);
    if (other !== undefined && agree({ revision, hash }, other)) continue;
    found.differing += 1;
    if (!isSettled) continue;
    const least = other === undefined ? 0 : other.hash === undefined ? other.revision : other.revision + 1;
    const again = { sourceId, revision: Math.max(revision, least) };
    found.again.push(again);
    if (again.revision > revision) found.raised.push(again);
  }
  return found;
}

/** A later revision in Odoo with the same content is the same record: a restore of the database may have taken ours back. */
function agree(own: Pick<OwnRecord, 'revision' | 'hash'>, other: OdooRevision): boolean {
  if (own.revision > other.revision) return false;
  // What cannot be sent has no content to compare.
  return own.hash === undefined ? own.revision === other.revision : own.hash === other.hash;
}
