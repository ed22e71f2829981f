// What was deleted in Odoo.
import * as z from 'zod';
import { removeFromOdoo, type PulledKind } from './kind.ts';

const schema = z.object({ id: z.int(), kind: z.string(), res_id: z.int() });

/** Deletions of the kinds that stay here. */
export const tombstoneOf = (
  kinds: readonly { kind: string; removal: string }[],
): PulledKind<'tombstone', typeof schema> => ({
  kind: 'tombstone',
  schema,
  wokenBy: [],
  async put(client, records) {
    for (const kept of kinds) {
      const ids = records.filter(({ kind }) => kind === kept.kind).map(({ res_id: id }) => id);
      await removeFromOdoo(client, kept, ids);
    }
  },
});
