// Health and metrics for machines, status and outbox for people and scripts.
import type { Registry } from 'prom-client';
import * as z from 'zod';
import type { Readiness } from './health.ts';
import { milkSessionRecordSchema } from '../../contract/records.ts';
import { route, type Route } from './route.ts';

/** What these routes answer from. */
export interface SystemSources {
  readiness: () => Promise<Readiness>;
  registry: Registry;
  status: () => Promise<Record<string, unknown>>;
  latestMilkings: (limit: number) => Promise<unknown[]>;
  parked: (limit: number) => Promise<unknown[]>;
  /** Puts parked records back into the queue, all of them without ids; returns how many. */
  retryParked: (ids: number[] | undefined) => Promise<number>;
}

const tag = 'System';
const limitSchema = z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(20) });
const check = z.strictObject({ ok: z.boolean(), detail: z.string() });
const retrySchema = z.strictObject({ ids: z.array(z.int()).max(10_000).optional() });
const parkedSchema = z.looseObject({ id: z.int(), kind: z.string(), source_id: z.string() });

/** The routes. */
export function systemRoutes(sources: SystemSources): Route[] {
  return [
    route({
      method: 'get',
      path: '/health/live',
      tag,
      summary: 'The process answers',
      open: true,
      answer: z.strictObject({ status: z.literal('live') }),
      handle: () => ({ status: 'live' }),
    }),
    route({
      method: 'get',
      path: '/health/ready',
      tag,
      summary: 'What works and what does not, in words',
      description: '503 while data cannot be taken (status down), else 200.',
      open: true,
      answer: z.strictObject({
        status: z.enum(['ready', 'degraded', 'down', 'standby']),
        checks: z.strictObject({ database: check, mqtt: check, odoo: check, outbox: check }),
      }),
      async handle({ response }) {
        const ready = await sources.readiness();
        response.status(ready.status === 'down' ? 503 : 200);
        return ready;
      },
    }),
    route({
      method: 'get',
      path: '/metrics',
      tag,
      summary: 'Prometheus metrics',
      open: true,
      media: { 'text/plain': 'Prometheus text format' },
      async handle({ response }) {
        response.type(sources.registry.contentType).send(await sources.registry.metrics());
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/status',
      tag,
      summary: 'Counts since the start, and what waits for Odoo',
      answer: z.record(z.string(), z.union([z.number(), z.string()])),
      handle: () => sources.status(),
    }),
    route({
      method: 'get',
      path: '/api/v1/milkings/latest',
      tag: 'Milkings',
      summary: 'The latest milkings, newest first, as Odoo gets them',
      query: limitSchema,
      answer: z.array(
        z.strictObject({ source_id: z.string(), revision: z.int(), record: milkSessionRecordSchema }),
      ),
      handle: ({ query }) => sources.latestMilkings(query.limit),
    }),
    route({
      method: 'get',
      path: '/api/v1/outbox/parked',
      tag: 'Outbox',
      summary:
        'Records that Odoo rejected (parked), or of which it has other content (stale), with the reason',
      query: limitSchema,
      answer: z.array(parkedSchema),
      handle: ({ query }) => sources.parked(query.limit),
    }),
    route({
      method: 'post',
      path: '/api/v1/outbox/retry',
      tag: 'Outbox',
      summary: 'Puts parked records back into the queue: those named, or all',
      body: retrySchema,
      example: { body: { ids: [17] } },
      answer: z.strictObject({ retried: z.int() }),
      handle: async ({ body }) => ({ retried: await sources.retryParked(body.ids) }),
    }),
  ];
}
