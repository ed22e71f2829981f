// What Odoo asks of the outbox: what waits, what it refused, and what becomes of that.
import * as z from 'zod';
import { listCursors } from '../db/odoo-sync.ts';
import { countOutbox, ignoreParked, listParked, retryParked } from '../db/outbox.ts';
import { signedRoute, type SignedBy } from './odoo-signed.ts';
import type { Route } from './route.ts';

/** What these routes work with. */
export type OdooOutboxDesk = SignedBy;

const idsSchema = z.strictObject({ ids: z.array(z.int()).min(1).max(10_000) });
const summarySchema = z.strictObject({
  kinds: z.array(
    z.strictObject({
      kind: z.string(),
      pending: z.int(),
      parked: z.int(),
      oldest_pending_s: z.int().nullable(),
    }),
  ),
  cursors: z.array(z.looseObject({ kind: z.string() })),
});

/** The routes. */
export function odooOutboxRoutes(desk: OdooOutboxDesk): Route[] {
  const { db } = desk;
  return [
    signedRoute(desk, {
      path: 'outbox/summary',
      summary: 'What waits for Odoo, by kind',
      body: z.strictObject({}),
      example: {},
      answer: summarySchema,
      handle: async () => ({
        kinds: (await countOutbox(db)).map(({ kind, pending, parked, oldestPendingS }) => ({
          kind,
          pending,
          parked,
          oldest_pending_s: oldestPendingS === null ? null : Math.round(oldestPendingS),
        })),
        cursors: await listCursors(db),
      }),
    }),
    signedRoute(desk, {
      path: 'outbox/parked',
      summary: 'Records that Odoo rejected, with the reason',
      renamed: { input: { cursor: 'after_id' } },
      body: z.strictObject({
        limit: z.int().min(1).max(1_000).default(200),
        cursor: z.int().min(0).default(0).describe('The last id of the previous page'),
      }),
      example: { limit: 50 },
      answer: z.strictObject({
        records: z.array(z.looseObject({ id: z.int(), kind: z.string(), source_id: z.string() })),
      }),
      handle: async ({ limit, cursor }) => ({
        records: (await listParked(db, { limit, cursor })).map(({ sourceId, pendingSince, ...row }) => ({
          ...row,
          source_id: sourceId,
          pending_since: pendingSince,
        })),
      }),
    }),
    signedRoute(desk, {
      path: 'outbox/retry',
      summary: 'Puts parked records back into the queue',
      body: idsSchema,
      example: { ids: [17] },
      answer: z.strictObject({ retried: z.int() }),
      handle: async ({ ids }) => ({ retried: await retryParked(db, ids) }),
    }),
    signedRoute(desk, {
      path: 'outbox/ignore',
      summary: 'Gives parked records up: they are not sent any more',
      body: idsSchema,
      example: { ids: [17] },
      answer: z.strictObject({ ignored: z.int() }),
      handle: async ({ ids }) => ({ ignored: await ignoreParked(db, ids) }),
    }),
  ];
}
