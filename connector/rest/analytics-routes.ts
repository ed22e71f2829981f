// Analytics over days: temperature trends, data quality of devices, the milk quality report.
import * as z from 'zod';
import type { MilkSessionRecord } from '../../contract/records.ts';
import type { Queryable } from '../db/pool.ts';
import { deviceQuality } from '../db/quality.ts';
import { milkQuality } from '../db/query-milk.ts';
import { temperatureTrends } from '../db/query-readings.ts';
import type { MilkUnits } from './dashboard-routes.ts';
import { farmSchema, round } from './lookup.ts';
import { momentSchema, wholeSpanIn } from './moments.ts';
import { route, type Route } from './route.ts';

const tag = 'Analytics';
const cache = 'private, max-age=60';
const dayMs = 86_400_000;
const uidsSchema = z.union([z.string().transform((uid) => [uid]), z.array(z.string()).max(1_000)]).optional();
const renamedByDevice = {
  input: { device_uids: 'device_ids', farm: 'farm_id' },
  output: { device_uid: 'device_id', farm: 'farm_id' },
};
const renamedSpan = { start: 'start_date', end: 'end_date' };
const daysSchema = z.coerce.number().int().min(1).max(90).default(7);

/** Grades milk by fat and protein (%) and somatic cells (per mL), as milkings are graded. */
export type Grade = (fat?: number, protein?: number, scc?: number) => MilkSessionRecord['grade'];

/** The routes. */
export function analyticsRoutes(db: Queryable, units: MilkUnits, grade: Grade): Route[] {
  return [trendsRoute(db), qualityRoute(db), milkReportRoute(db, units, grade)];
}

function trendsRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/analytics/temperature/trends',
    tag,
    summary: 'Daily temperature of devices, with their alerts',
    query: z.strictObject({
      device_uids: uidsSchema.describe('Repeat it for several; without it all temperature sensors'),
      farm: farmSchema,
      days: daysSchema,
    }),
    cache,
    renamed: renamedByDevice,
    answer: z.strictObject({
      period_days: z.int(),
      trends: z.array(
        z.strictObject({
          date: z.iso.date().describe('UTC'),
          device_uid: z.string(),
          farm: z.string(),
          avg_temp: z.number(),
          min_temp: z.number(),
          max_temp: z.number(),
          alarm_count: z.int(),
        }),
      ),
    }),
    async handle({ query: { device_uids: uids, farm, days } }) {
      const rows = await temperatureTrends(db, { uids, farm, days });
      const trends = rows.map((row) => ({
        ...row,
        avg_temp: round(row.avg_temp),
        min_temp: round(row.min_temp),
        max_temp: round(row.max_temp),
      }));
      return { period_days: days, trends };
    },
  });
}

function qualityRoute(db: Queryable): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/analytics/data-quality',
    tag,
    summary: 'How good the data of each device was, day by day (UTC)',
    description: 'Newest day first, and of a day the worst device first. Worked out every hour.',
    query: z.strictObject({
      device_uids: uidsSchema.describe('Repeat it for several; without it all'),
      farm: farmSchema,
      days: daysSchema.describe('Today included'),
      limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
    }),
    cache,
    renamed: renamedByDevice,
    answer: z.strictObject({
      period_days: z.int(),
      quality: z.array(
        z.strictObject({
          date: z.iso.date(),
          device_uid: z.string(),
          farm: z.string(),
          score: z
            .number()
            .describe('100 × share of good values × share of the day without gaps; of today so far'),
          readings: z.int(),
          good: z.int(),
          out_of_range: z.int(),
          rate_of_change: z.int().describe('Changed faster than can be'),
          stuck: z.int().describe('The same for too long'),
          other: z.int().describe('Flagged by the device, or its clock was not synchronised'),
          gap_seconds: z.int().describe('Longer than five usual intervals and ten minutes without a value'),
        }),
      ),
    }),
    async handle({ query: { device_uids: uids, farm, days, limit } }) {
      return { period_days: days, quality: await deviceQuality(db, { uids, farm, days }, limit) };
    },
  });
}

function milkReportRoute(db: Queryable, { kgPerLitre }: MilkUnits, grade: Grade): Route {
  return route({
    method: 'get',
    path: '/api/v1/iot/analytics/milk/quality-report',
    tag,
    summary: 'Milk quality by day of the farm’s time zone',
    query: z.strictObject({
      farm: farmSchema,
      start: momentSchema.optional().describe('30 days before end without it'),
      end: momentSchema.optional().describe('Now without it'),
    }),
    cache,
    renamed: { input: { farm: 'farm_id', ...renamedSpan }, output: renamedSpan },
    answer: z.strictObject({
      start: z.iso.datetime(),
      end: z.iso.datetime(),
      report: z.array(
        z.strictObject({
          date: z.iso.date(),
          avg_fat_percent: z.number().nullable().describe('Means are weighted by yield'),
          avg_protein_percent: z.number().nullable(),
          avg_scc: z.int().nullable().describe('Cells per mL'),
          avg_conductivity: z.number().nullable().describe('mS/cm'),
          total_volume_liters: z.number(),
          animals_milked: z.int(),
          quality_grade: z
            .enum(['A', 'B', 'C', 'reject'])
            .nullable()
            .describe('By milk.grades of the configuration'),
        }),
      ),
    }),
    async handle({ query }) {
      const { start, end } = await wholeSpanIn(db, query, query.farm, { lastMs: 30 * dayMs });
      const rows = await milkQuality(db, { farm: query.farm, start, end });
      const report = rows.map((row) => ({
        date: row.date,
        avg_fat_percent: round(row.fat),
        avg_protein_percent: round(row.protein),
        avg_scc: row.scc === null ? null : Math.round(row.scc),
        avg_conductivity: round(row.conductivity),
        total_volume_liters: round(row.yieldKg / kgPerLitre),
        animals_milked: row.animals,
        quality_grade: grade(row.fat ?? undefined, row.protein ?? undefined, row.scc ?? undefined),
      }));
      return { start: start.toISOString(), end: end.toISOString(), report };
    },
  });
}
