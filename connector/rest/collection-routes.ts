// Collections for integrators: farms, animals, devices, milkings, readings, all with the same words for pages and spans.
import * as z from 'zod';
import { deviceTypeSchema } from '../../contract/topics.ts';
import type { Queryable } from '../db/pool.ts';
import { listAnimals, listFarms } from '../db/query-collections.ts';
import { cardSchema, cardsPage } from './device-routes.ts';
import { animalSchema, farmSchema, flag, isTrue } from './lookup.ts';
import { milkingsRoute } from './milkings-route.ts';
import { idCursor, lastOf, nextId, pageLimit } from './page.ts';
import { readingsRoute } from './readings-route.ts';
import { route, type Route } from './route.ts';

const tag = 'Collections';
const active = flag.describe('true: those that are there; false: those that have left');

/** The routes. Each has `farm`: the token of a farm sees what is of that farm. */
export function collectionRoutes(db: Queryable): Route[] {
  return [farmsRoute(db), animalsRoute(db), devicesRoute(db), milkingsRoute(db), readingsRoute(db)];
}

function farmsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/farms',
    tag,
    summary: 'Farms',
    query: z.strictObject({ farm: farmSchema, limit: pageLimit, cursor: idCursor }),
    example: { query: { limit: '10' } },
    answer: z.strictObject({
      farms: z.array(
        z.strictObject({
          farm: z.string().describe('Its code, as in topics'),
          name: z.string(),
          active: z.boolean(),
          devices: z.int().describe('Without refused ones'),
          animals: z.int().describe('Present ones'),
        }),
      ),
      next_cursor: nextId,
    }),
    async handle({ query }) {
      const rows = await listFarms(db, { farm: query.farm, cursor: query.cursor }, query.limit);
      return {
        farms: rows.map(({ farm, name, active, devices, animals }) => ({
          farm,
          name,
          active,
          devices,
          animals,
        })),
        next_cursor: lastOf(rows, query.limit)?.id ?? null,
      };
    },
  });
}

function animalsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/animals',
    tag,
    summary: 'Animals, as Odoo keeps them',
    query: z.strictObject({
      farm: farmSchema,
      animal: animalSchema,
      active,
      limit: pageLimit,
      cursor: idCursor,
    }),
    example: { query: { farm: 'farm1', active: 'true' } },
    answer: z.strictObject({
      animals: z.array(
        z.strictObject({
          id: z.int(),
          farm: z.string(),
          name: z.string().nullable(),
          ear_tag: z.string().nullable(),
          rfid: z.string().nullable().describe('The tag that it wears now'),
          pen: z.string().nullable(),
          state: z.string().nullable().describe('Such as lactating or dry'),
          active: z.boolean().describe('false: it has left'),
        }),
      ),
      next_cursor: nextId,
    }),
    async handle({ query }) {
      const filter = {
        farm: query.farm,
        animal: query.animal,
        active: isTrue(query.active),
        cursor: query.cursor,
      };
      const animals = await listAnimals(db, filter, query.limit);
      return { animals, next_cursor: lastOf(animals, query.limit)?.id ?? null };
    },
  });
}

function devicesRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/devices',
    tag,
    summary: 'Devices with their latest values: as /api/v1/iot/devices, without former names',
    query: z.strictObject({
      farm: farmSchema,
      device_type: deviceTypeSchema.optional(),
      limit: pageLimit,
      cursor: idCursor,
    }),
    example: { query: { farm: 'farm1', device_type: 'milk_meter' } },
    answer: z.strictObject({ devices: z.array(cardSchema), next_cursor: nextId }),
    handle: ({ query }) => cardsPage(db, query),
  });
}
