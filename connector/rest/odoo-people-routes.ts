// For people: everything from Odoo anew, and how database and Odoo agree.
import * as z from 'zod';
import { boundDatabase } from '../db/odoo-binding.ts';
import type { Queryable } from '../db/pool.ts';
import { readReport } from '../db/reconciliation.ts';
import { route, type Route } from './route.ts';

/** What these routes work with. */
export interface OdooPeopleDesk {
  db: Queryable;
  resync: () => Promise<void>;
  connectAnew: () => Promise<void>;
  reconcile: (days: number) => Promise<void>;
}

const tag = 'Odoo';
const daysSchema = z.strictObject({ days: z.coerce.number().int().min(1).max(400).default(35) });
const reportSchema = z.array(z.looseObject({ kind: z.string(), day: z.string(), agrees: z.boolean() }));

/** The routes. */
export function odooPeopleRoutes({ db, resync, connectAnew, reconcile }: OdooPeopleDesk): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/odoo/binding',
      tag,
      summary: 'The Odoo database that this connector belongs to',
      answer: z.strictObject({
        database_uuid: z.string().nullable().describe('null before the first contact'),
      }),
      handle: async () => ({ database_uuid: (await boundDatabase(db)) ?? null }),
    }),
    route({
      method: 'post',
      path: '/api/v1/odoo/connect-anew',
      tag,
      summary:
        'Belongs to the database that ODOO_URL and ODOO_DB lead to now, and takes everything from it anew',
      description:
        'For a copy that is to have this connector, and for a database that took the place of another.',
      body: z.strictObject({}),
      example: { body: {} },
      answer: z.strictObject({ accepted: z.literal(true) }),
      status: 202,
      async handle() {
        await connectAnew();
        return { accepted: true };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/odoo/resync',
      tag,
      summary: 'Takes everything from Odoo anew; what is no longer there is forgotten',
      body: z.strictObject({}),
      example: { body: {} },
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
      example: { body: { days: 3 } },
      answer: reportSchema,
      async handle({ body }) {
        await reconcile(body.days);
        return readReport(db, body.days);
      },
    }),
  ];
}
