// Alerts for apps: lists, one with its history, and the acknowledgement by a person.
import * as z from 'zod';
import { acknowledgeAlert } from '../db/alerts.ts';
import { inTransaction, toDatabaseError, type Db } from '../db/pool.ts';
import { alertEvents, listAlerts, type AlertRow } from '../db/query-alerts.ts';
import { farmSchema } from './lookup.ts';
import { momentSchema, spanIn } from './moments.ts';
import { noSuch, wrongField } from './problem.ts';
import { route, type Route } from './route.ts';

const tag = 'Alerts';
const states = ['new', 'acknowledged', 'resolved'] as const;
const severity = z.enum(['low', 'medium', 'high', 'critical']);
const state = z.enum(states);

const facts = {
  id: z.int(),
  device_uid: z.string().nullable().describe('The uid; null for an alert about the farm as a whole'),
  device_name: z.string().nullable(),
  farm: z.string().describe('Code of the farm'),
  alert_type: z.string().describe('Such as high_scc or abnormal_yield'),
  severity,
  message: z.string(),
  state,
  created_at: z.iso.datetime().describe('When the cause was measured'),
  acknowledged_at: z.iso.datetime().nullable(),
  acknowledged_by: z.string().nullable(),
  cleared_at: z.iso.datetime().nullable().describe('When the cause went away by itself'),
  trigger_value: z.number().nullable(),
  threshold_value: z.number().nullable(),
  unit: z.string().nullable(),
  rfid: z.string().nullable(),
  milking: z.string().nullable().describe('source_id of the milking it is about'),
};
const alertSchema = z.strictObject(facts);
const eventSchema = z.strictObject({ time: z.iso.datetime(), state, detail: z.string().nullable() });
const renamedFacts = { device_uid: 'device_id', farm: 'farm_id', milking: 'milk_session' };
const params = z.object({ alert_id: z.coerce.number().int().min(1) });

/** The routes. `db` for what is changed, `queryDb` for what is asked */
export function alertRoutes(db: Db, queryDb: Db): Route[] {
  const theAlert = async (id: number): Promise<AlertRow> => {
    const [alert] = await listAlerts(queryDb, { id }, 1);
    if (alert === undefined) throw noSuch('alert_id', `there is no alert ${id}`);
    return alert;
  };
  return [
    route({
      method: 'get',
      path: '/api/v1/iot/alerts',
      tag,
      summary: 'Alerts, the last first',
      query: z.strictObject({
        device_uid: z.string().max(64).optional(),
        farm: farmSchema,
        severity: severity.optional(),
        alert_type: z.string().max(64).optional(),
        acknowledged: z
          .enum(['true', 'false'])
          .optional()
          .describe('false: those that nobody has looked at yet (state new); true: all others'),
        state: state.optional(),
        start: momentSchema.optional().describe('Created from then on'),
        end: momentSchema.optional().describe('Created until then, inclusive'),
        limit: z.coerce.number().int().min(1).max(1_000).default(100),
        cursor: z.coerce.number().int().min(1).optional().describe('next_cursor of the previous page'),
      }),
      answer: z.strictObject({ alerts: z.array(alertSchema), next_cursor: z.int().nullable() }),
      renamed: {
        input: {
          device_uid: 'device_id',
          farm: 'farm_id',
          start: 'start_date',
          end: 'end_date',
          cursor: 'before',
        },
        output: { ...renamedFacts, next_cursor: 'next_before' },
      },
      async handle({ query }) {
        const { acknowledged, limit } = query;
        if (acknowledged !== undefined && query.state !== undefined)
          throw wrongField('acknowledged', 'say either this or state');
        const { start, end } = await spanIn(queryDb, query, query.farm);
        const alerts = await listAlerts(
          queryDb,
          {
            farm: query.farm,
            deviceUid: query.device_uid,
            severity: query.severity,
            type: query.alert_type,
            states: query.state === undefined ? statesOf(acknowledged) : [query.state],
            start,
            end,
            cursor: query.cursor,
          },
          limit,
        );
        return { alerts, next_cursor: alerts.length === limit ? (alerts.at(-1)?.id ?? null) : null };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/iot/alerts/{alert_id}',
      tag,
      summary: 'One alert, and what happened to it',
      params,
      example: { params: { alert_id: '17' } },
      answer: z.strictObject({ ...facts, events: z.array(eventSchema).describe('Oldest first') }),
      renamed: { output: renamedFacts },
      async handle({ params: { alert_id: id } }) {
        return { ...(await theAlert(id)), events: await alertEvents(queryDb, id) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/iot/alerts/{alert_id}/acknowledge',
      tag,
      summary: 'Somebody takes care of an alert',
      description:
        'Odoo is told like of every change of an alert. An alert that is not new stays as it is; the answer says how it is.',
      params,
      body: z.strictObject({
        by: z.string().trim().min(1).max(128).default('over REST').describe('Who takes care'),
      }),
      example: { params: { alert_id: '17' }, body: { by: 'Rahim' } },
      answer: alertSchema,
      renamed: { output: renamedFacts },
      async handle({ params: { alert_id: id }, body }) {
        await theAlert(id);
        await inTransaction(db, (client) => acknowledgeAlert(client, id, body.by)).catch((error: unknown) => {
          throw toDatabaseError(error);
        });
        return theAlert(id);
      },
    }),
  ];
}

const statesOf = (acknowledged: 'true' | 'false' | undefined) =>
  acknowledged === undefined
    ? undefined
    : states.filter((each) => (each === 'new') !== (acknowledged === 'true'));
