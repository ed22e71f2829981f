// Queries: the latest values of a device, its values over time, and how much comes in.
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { ingestionCounts } from '../db/query-devices.ts';
import { latestReadings } from '../db/query-readings.ts';
import { farmSchema, theDevice } from './lookup.ts';
import { noSuch } from './problem.ts';
import { rangeRoute } from './range-route.ts';
import { route, type Route } from './route.ts';

const tag = 'Query';
const reading = {
  metric_name: z.string(),
  metric_value: z.number(),
  metric_unit: z.string(),
  time: z.iso.datetime(),
  quality: z.int().describe('0 is good'),
};

/** The routes. `waiting` is how many messages are received and not yet committed. */
export function queryRoutes(db: Queryable, waiting: () => number): Route[] {
  return [latestRoute(db), rangeRoute(db), statsRoute(db, waiting)];
}

function latestRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/query/sensor/latest/{device_uid}',
    tag,
    summary: 'The latest value of a device, and of each of its metrics',
    params: z.object({ device_uid: z.string() }),
    example: { params: { device_uid: 'tank_1' } },
    query: z.strictObject({ farm: farmSchema }),
    renamed: { input: { farm: 'farm_id' }, output: { farm: 'farm_id' } },
    answer: z.strictObject({
      device_uid: z.string(),
      farm: z.string(),
      device_type: z.string(),
      ...reading,
      readings: z.array(z.strictObject(reading)).describe('Newest first'),
    }),
    async handle({ params: { device_uid: uid }, query }) {
      const device = await theDevice(db, uid, query.farm);
      const readings = await latestReadings(db, device.id, device.heardAt);
      if (readings[0] === undefined)
        throw noSuch('device_uid', `device ${device.farm}/${uid} has no readings yet`);
      return {
        device_uid: uid,
        farm: device.farm,
        device_type: device.deviceType,
        ...readings[0],
        readings,
      };
    },
  });
}

function statsRoute(db: Queryable, waiting: () => number): Route {
  const counts = remembered(() => ingestionCounts(db), 15_000);
  return route({
    method: 'get',
    path: '/api/v1/stats/ingestion',
    tag,
    summary: 'How much came in lately',
    description:
      'Readings of good quality, in whole buckets of 15 minutes and hours; counted every 15 s at most.',
    cache: 'private, max-age=15',
    answer: z.strictObject({
      readings_last_hour: z.int(),
      readings_last_24h: z.int(),
      active_devices: z.int().describe('Heard within 5 minutes'),
      dead_letters_last_24h: z.int(),
      dead_letters_waiting: z.int().describe('Not replayed'),
      buffer_size: z.int().describe('Messages received and not yet committed'),
    }),
    handle: async () => ({ ...(await counts()), buffer_size: waiting() }),
  });
}

/** Asks at most once in `ms`: sums over all devices are dear, and every dashboard asks for them. A failure is not remembered. */
function remembered<T>(ask: () => Promise<T>, ms: number): () => Promise<T> {
  let known: { at: number; answer: Promise<T> } | undefined;
  return async () => {
    known = known !== undefined && Date.now() - known.at < ms ? known : { at: Date.now(), answer: ask() };
    try {
      return await known.answer;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}
