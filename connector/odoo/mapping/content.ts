// A fingerprint of what a record says: by it both sides are compared, whatever its revision.
import { hash } from 'node:crypto';
import type { OdooRecord } from './kind.ts';

/** The fingerprint of a mapped record, without its key and revision. A value that is absent and one that is null are one. */
export function contentHash(record: OdooRecord): string {
  const said = Object.entries(record).filter(([, value]) => value !== null);
  said.sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(said), 'base64url').slice(0, 22);
}
