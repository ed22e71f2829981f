// What a dashboard shows: sums of the farm, a temperature chart, milk by hour or day.
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { milkProduction } from '../db/query-milk.ts';
import { dashboardSums } from '../db/query-devices.ts';
import { chart } from '../db/query-readings.ts';
import { farmSchema, round, theSeries } from './lookup.ts';
import { route, type Route } from './route.ts';

const tag = 'Dashboard';
const cache = 'private, max-age=5';
const hour = 3_600;
const day = 86_400;

/** Source and width of a chart's buckets by period. */
const charts = {
  '1h': { source: 'raw', seconds: 60, spanSeconds: hour },
  '6h': { source: 'raw', seconds: 300, spanSeconds: 6 * hour },
  '24h': { source: '15min', seconds: 900, spanSeconds: day },
  '7d': { source: 'hourly', seconds: hour, spanSeconds: 7 * day },
  '30d': { source: 'hourly', seconds: 6 * hour, spanSeconds: 30 * day },
} as const;

const productions = { '24h': ['hour', day], '7d': ['day', 7 * day], '30d': ['day', 30 * day] } as const;

/** How milk is counted: the density of milk. */
export interface MilkUnits {
  kgPerLitre: number;
}

/** The routes. */
export function dashboardRoutes(db: Queryable, units: MilkUnits): Route[] {
  return [summaryRoute(db, units), temperatureRoute(db), productionRoute(db, units)];
}

function summaryRoute(db: Queryable, { kgPerLitre }: MilkUnits): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/dashboard/summary',
    tag,
    summary: 'Devices, alerts, temperature and milk at a glance',
    query: z.strictObject({ farm: farmSchema }),
    cache,
    renamed: { input: { farm: 'farm_id' } },
    answer: z.strictObject({
      total_devices: z.int(),
      online_devices: z.int().describe('Heard within 5 minutes'),
      offline_devices: z.int(),
      alerts_by_severity: z.record(z.string(), z.int()).describe('New ones of the last 24 h'),
      avg_temperature: z.number().nullable().describe('°C, temperature sensors, last hour; null without any'),
      total_milk_today: z.number().describe('L, since midnight of the farm, complete milkings'),
      total_milk_today_kg: z.number(),
    }),
    async handle({ query }) {
      const { total, online, alerts, temperature, milkKg } = await dashboardSums(db, query.farm);
      return {
        total_devices: total,
        online_devices: online,
        offline_devices: total - online,
        alerts_by_severity: alerts,
        avg_temperature: round(temperature),
        total_milk_today: round(milkKg / kgPerLitre),
        total_milk_today_kg: round(milkKg),
      };
    },
  });
}

function temperatureRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/dashboard/temperature/chart',
    tag,
    summary: 'A temperature over time',
    query: z.strictObject({
      device_uid: z.string(),
      farm: farmSchema,
      period: z.enum(['1h', '6h', '24h', '7d', '30d']).default('24h'),
      metric_name: z.string().default('temperature').describe('Any other metric as well'),
    }),
    example: { query: { device_uid: 'tank_1', period: '24h' } },
    cache,
    renamed: { input: { device_uid: 'device_id', farm: 'farm_id' }, output: { device_uid: 'device_id' } },
    answer: z.strictObject({
      device_uid: z.string(),
      period: z.string(),
      data: z.array(
        z.strictObject({ timestamp: z.iso.datetime(), avg: z.number(), min: z.number(), max: z.number() }),
      ),
    }),
    async handle({ query }) {
      const { device, metric } = await theSeries(db, query.device_uid, query.farm, query.metric_name);
      const rows = await chart(db, { deviceId: device.id, metricId: metric.id }, charts[query.period]);
      const data = rows.map(({ timestamp, avg, min, max }) => ({
        timestamp,
        avg: round(avg),
        min: round(min),
        max: round(max),
      }));
      return { device_uid: query.device_uid, period: query.period, data };
    },
  });
}

function productionRoute(db: Queryable, { kgPerLitre }: MilkUnits): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/dashboard/milk/production',
    tag,
    summary: 'Milk by hour (24h) or day (7d, 30d) of the farm’s time zone',
    query: z.strictObject({ farm: farmSchema, period: z.enum(['24h', '7d', '30d']).default('7d') }),
    cache,
    renamed: { input: { farm: 'farm_id' }, output: { milkings: 'sessions' } },
    answer: z.strictObject({
      period: z.string(),
      data: z.array(
        z.strictObject({
          timestamp: z.iso.datetime().describe('Begin of the hour or day'),
          volume: z.number().describe('L'),
          yield_kg: z.number(),
          milkings: z.int().describe('Complete ones'),
          avg_fat: z.number().nullable().describe('%, weighted by yield'),
          avg_protein: z.number().nullable(),
        }),
      ),
    }),
    async handle({ query }) {
      const [bucket, seconds] = productions[query.period];
      const end = new Date();
      const start = new Date(end.getTime() - seconds * 1_000);
      const rows = await milkProduction(db, bucket, { farm: query.farm, start, end });
      const data = rows.map((row) => ({
        timestamp: row.timestamp,
        volume: round(row.yieldKg / kgPerLitre),
        yield_kg: round(row.yieldKg),
        milkings: row.milkings,
        avg_fat: round(row.fat),
        avg_protein: round(row.protein),
      }));
      return { period: query.period, data };
    },
  });
}
