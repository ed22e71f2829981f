// For people: everything from Odoo anew, and how database and Odoo agree.
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { readReport } from '../db/reconciliation.ts';
import { route, type Route } from './route.ts';

/** What these routes work with. */
export interface OdooPeopleDesk {
  db: Queryable;
  resync: () => Promise<void>;
  reconcile: (days: number) => Promise<void>;
}

const tag = 'Odoo';
const daysSchema = z.strictObject({ days: z.coerce.number().int().min(1).max(400).default(35) });
const reportSchema = z.array(z.looseObject({ kind: z.string(), day: z.string(), agrees: z.boolean() }));

/** The routes. */
export function odooPeopleRoutes({ db, resync, reconcile }: OdooPeopleDesk): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/odoo/resync',
      tag,
      summary: 'Takes everything from Odoo anew; what is no longer there is forgotten',
      body: z.strictObject({}),
      answer: z.strictObject({ accepted: z.literal(true) }),
      status: 202,
      async handle() {
        await resync();
        return { accepted: true };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/odoo/reconciliation',
      tag,
      summary: 'Whether database and Odoo agree, per day and kind',
      query: daysSchema,
      answer: reportSchema,
      handle: ({ query }) => readReport(db, query.days),
    }),
    route({
      method: 'post',
      path: '/api/v1/odoo/reconciliation',
      tag,
      summary: 'Compares now, and sends again what Odoo lacks',
      body: z.strictObject({ days: z.int().min(1).max(400).default(3) }),
      answer: reportSchema,
      async handle({ body }) {
        await reconcile(body.days);
        return readReport(db, body.days);
      },
    }),
  ];
}
