// Devices for apps: cards with their latest values, and their readings.
import * as z from 'zod';
import { deviceTypeSchema, type DeviceType } from '../../contract/topics.ts';
import type { Queryable } from '../db/pool.ts';
import { deviceCards } from '../db/query-devices.ts';
import { deviceReadings } from '../db/query-readings.ts';
import { farmSchema, theDevice, theSeries } from './lookup.ts';
import { momentSchema, wholeSpanIn } from './moments.ts';
import { idCursor, lastOf, pageLimit } from './page.ts';
import { route, type Route } from './route.ts';

const tag = 'Devices';

/** What a card shows of a device of each type. */
const mainMetrics: ReadonlyMap<DeviceType, string> = new Map([
  ['milk_meter', 'milk_yield'],
  ['temperature', 'temperature'],
  ['collar', 'activity'],
  ['ph', 'ph'],
  ['humidity', 'humidity'],
  ['pressure', 'pressure'],
  ['energy', 'energy'],
]);

/** A device as it is answered. */
export const cardSchema = z.strictObject({
  id: z.int(),
  device_uid: z.string().describe('As in topics'),
  name: z.string(),
  device_type: z.string(),
  state: z.enum(['discovered', 'registered']),
  farm: z.string().describe('Code of the farm'),
  farm_name: z.string(),
  location_description: z.string().nullable(),
  manufacturer: z.string().nullable(),
  model: z.string().nullable(),
  profile: z.string().nullable(),
  last_seen: z.iso.datetime().nullable(),
  is_online: z.boolean().describe('Heard within 5 minutes'),
  signal_strength: z.number().nullable().describe('dBm, of the last day'),
  battery_level: z.number().nullable().describe('%, of the last day'),
  clock_offset_seconds: z
    .number()
    .nullable()
    .describe(
      'Arrival minus device time, of the last messages; below 0 the clock is ahead, above it is behind or data comes late',
    ),
  clock_off_since: z.iso
    .datetime()
    .nullable()
    .describe(
      'Since then its clock is so wrong that the moment of arrival counts for what it says, or it answers commands before it is asked',
    ),
  unread_field: z
    .string()
    .nullable()
    .describe('Of its messages could not be read, and why; the rest was taken'),
  unread_at: z.iso.datetime().nullable().describe('When that was last so'),
  reach: z
    .enum(['online', 'degraded', 'offline', 'unreachable'])
    .nullable()
    .describe('As it or its gateway last said; unreachable while its gateway is lost'),
  gateway: z.string().nullable().describe('Uid of the gateway that it is behind'),
  last_value: z.number().nullable().describe('Of the metric that the type is about'),
  last_value_unit: z.string().nullable(),
  alert_count: z.int().describe('Not resolved'),
});

const statusSchema = z.strictObject({
  device_uid: z.string(),
  farm: z.string(),
  is_online: z.boolean(),
  last_seen: z.iso.datetime().nullable(),
  latest_value: z.number().nullable(),
  battery_level: z.number().nullable(),
  signal_strength: z.number().nullable(),
});

const listSchema = z.strictObject({
  farm: farmSchema,
  device_type: deviceTypeSchema.optional(),
  limit: pageLimit,
  cursor: idCursor,
});
const renamedFacts = { device_uid: 'device_id', farm: 'farm_id' };
const renamedList = {
  input: { farm: 'farm_id', cursor: 'after' },
  output: { ...renamedFacts, next_cursor: 'next_after' },
};

/** A page of devices. */
export async function cardsPage(db: Queryable, query: z.output<typeof listSchema>) {
  const filter = { farm: query.farm, type: query.device_type, cursor: query.cursor };
  const devices = await deviceCards(db, filter, mainMetrics, query.limit);
  return { devices, next_cursor: lastOf(devices, query.limit)?.id ?? null };
}

/** The routes. */
export function deviceRoutes(db: Queryable): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/iot/devices',
      tag,
      summary: 'Devices with their latest values',
      query: listSchema,
      answer: z.strictObject({ devices: z.array(cardSchema), next_cursor: z.int().nullable() }),
      renamed: renamedList,
      handle: ({ query }) => cardsPage(db, query),
    }),
    route({
      method: 'get',
      path: '/api/v1/iot/dashboard/devices/status',
      tag,
      summary: 'Which devices are online',
      query: listSchema,
      answer: z.strictObject({ devices: z.array(statusSchema), next_cursor: z.int().nullable() }),
      renamed: renamedList,
      async handle({ query }) {
        const { devices, next_cursor: nextCursor } = await cardsPage(db, query);
        const statuses = devices.map((card) => ({
          device_uid: card['device_uid'],
          farm: card['farm'],
          is_online: card['is_online'],
          last_seen: card['last_seen'],
          latest_value: card['last_value'],
          battery_level: card['battery_level'],
          signal_strength: card['signal_strength'],
        }));
        return { devices: statuses, next_cursor: nextCursor };
      },
    }),
    oneRoute(db),
    readingsRoute(db),
  ];
}

function oneRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/devices/{device_uid}',
    tag,
    summary: 'One device',
    params: z.object({ device_uid: z.string() }),
    example: { params: { device_uid: 'tank_1' } },
    query: z.strictObject({ farm: farmSchema }),
    answer: cardSchema,
    renamed: { input: { farm: 'farm_id' }, output: renamedFacts },
    async handle({ params, query }) {
      const device = await theDevice(db, params.device_uid, query.farm);
      const [card] = await deviceCards(db, { ids: [device.id] }, mainMetrics, 1);
      return card;
    },
  });
}

function readingsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/devices/{device_uid}/readings',
    tag,
    summary: 'Readings of a device, newest first',
    params: z.object({ device_uid: z.string() }),
    example: { params: { device_uid: 'tank_1' } },
    query: z.strictObject({
      farm: farmSchema,
      start: momentSchema.optional().describe('A day before end without it'),
      end: momentSchema
        .optional()
        .describe('Now without it; inclusive. For the next page: the last timestamp'),
      reading_type: z.string().optional().describe('One metric only'),
      limit: z.coerce.number().int().min(1).max(10_000).default(100),
    }),
    cache: 'private, max-age=5',
    renamed: {
      input: { farm: 'farm_id', start: 'start_date', end: 'end_date' },
      output: { device_uid: 'device_id' },
    },
    answer: z.strictObject({
      readings: z.array(
        z.strictObject({
          id: z.string(),
          device_uid: z.string(),
          timestamp: z.iso.datetime(),
          value: z.number(),
          unit: z.string(),
          reading_type: z.string(),
          quality: z.int().describe('0 is good'),
        }),
      ),
    }),
    async handle({ params, query }) {
      const { device_uid: uid } = params;
      const { farm, reading_type: type } = query;
      const { device, metric } =
        type === undefined
          ? { device: await theDevice(db, uid, farm), metric: undefined }
          : await theSeries(db, uid, farm, type);
      const end = new Date(Date.now() + 600_000);
      const span = await wholeSpanIn(db, query, device.farm, { lastMs: 86_400_000, end });
      const filter = { metricId: metric?.id, ...span };
      return { readings: await deviceReadings(db, device, filter, query.limit) };
    },
  });
}
