// What Odoo calls: signed calls of the addon, webhook actions with their secret address; and for people how the two agree.
import type { Request } from 'express';
import * as z from 'zod';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import type { Profile } from '../../contract/profile.ts';
import type { CommandDesk } from '../commands/desk.ts';
import { findCommands } from '../db/commands.ts';
import { latestValues, recentSeries, storeEvent, takeSignature } from '../db/odoo-events.ts';
import { listCursors } from '../db/odoo-sync.ts';
import { countOutbox, ignoreParked, listParked, retryParked } from '../db/outbox.ts';
import type { Queryable } from '../db/pool.ts';
import { readReport } from '../db/reconciliation.ts';
import { pullKindSchema, withDeletions, type PullKind } from '../db/pulled/index.ts';
import {
  commandAnswerSchema,
  commandNameSchema,
  commandParamsShape,
  knownCommands,
  requestIdSchema,
} from './command-routes.ts';
import { theDevice } from './lookup.ts';
import { HttpError, invalidInput } from './problem.ts';
import { route, type Route } from './route.ts';
import { checkSignature, signatureWindowS } from './signature.ts';

/** What these routes work with. */
export interface OdooDesk {
  db: Queryable;
  secret: string;
  hookToken: string;
  wake: (kinds: readonly PullKind[]) => void;
  resync: () => Promise<void>;
  /** Works on stored webhook events soon. */
  onEvent: () => void;
  commands: CommandDesk;
  profileOf: (name: string) => Profile | undefined;
  rotateKey: () => Promise<Date | undefined>;
  reconcile: (days: number) => Promise<void>;
}

const commandSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string(),
  command: commandNameSchema,
  params: z.strictObject(commandParamsShape).prefault({}),
  request_id: requestIdSchema,
});

const tag = 'Odoo';
const idsSchema = z.strictObject({ ids: z.array(z.int()).min(1).max(10_000) });
const daysSchema = z.strictObject({ days: z.coerce.number().int().min(1).max(400).default(35) });
const hookSchema = z.looseObject({
  _model: z.string().max(128),
  _id: z.int().optional(),
  _action: z.string().optional(),
});
const empty = z.strictObject({});
const acceptedSchema = z.strictObject({ accepted: z.literal(true) });
const reportSchema = z.array(z.looseObject({ kind: z.string(), day: z.string(), agrees: z.boolean() }));
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
const latestSchema = z.looseObject({
  values: z.array(
    z.strictObject({
      device: z.string(),
      metric: z.string(),
      unit: z.string(),
      value: z.number(),
      quality: z.int(),
      time: z.iso.datetime(),
    }),
  ),
});
/** How far back the latest value of a metric is looked for. */
const latestHours = 48;

/** The routes. */
export function odooRoutes(desk: OdooDesk): Route[] {
  const { db } = desk;
  /** A POST of the addon. Checked before its content is looked at. */
  const signed = <B extends z.ZodType>(
    path: string,
    summary: string,
    body: B,
    answer: z.ZodType,
    handle: (input: z.output<B>, request: Request) => Promise<unknown>,
    status?: 202,
  ): Route =>
    route({
      method: 'post',
      path: `/api/v1/odoo/${path}`,
      tag,
      summary,
      description:
        'Called by the addon with X-Smart-Dairy-Signature instead of a token, see docs/odoo-sync.md.',
      open: true,
      body: z.unknown(),
      bodyDocument: body,
      answer,
      ...(status === undefined ? {} : { status }),
      async handle({ request }) {
        await authenticate(request, desk);
        const input = body.safeParse(request.body ?? {});
        if (!input.success) throw invalidInput(input.error);
        return handle(input.data, request);
      },
    });

  return [
    signed(
      'notify',
      'Records of a kind have changed in Odoo',
      z.looseObject({ kind: pullKindSchema, ids: z.array(z.int()).optional() }),
      acceptedSchema,
      ({ kind }) => {
        desk.wake(withDeletions([kind]));
        return Promise.resolve({ accepted: true });
      },
      202,
    ),
    signed(
      'latest',
      'Latest values of devices, and on request their course per 15 minutes',
      z.strictObject({
        devices: z.array(z.string()).min(1).max(500),
        chart_hours: z.int().min(1).max(168).optional(),
      }),
      latestSchema,
      async ({ devices, chart_hours: hours }) => ({
        values: await latestValues(db, devices, latestHours),
        ...(hours === undefined ? {} : { series: await recentSeries(db, devices, hours) }),
      }),
    ),
    signed(
      'command',
      'Sends a command to a device',
      commandSchema,
      z.strictObject({
        accepted: z.literal(true),
        request_id: z.string(),
        state: z.string(),
        expires_at: z.string(),
      }),
      async ({ farm, device_uid: uid, command, params, request_id: requestId }) => {
        const device = await theDevice(db, uid, farm);
        const { value, timeout_ms: timeoutMs } = params;
        const order = { requestId, device, command, value, timeoutMs, requestedBy: 'odoo' } as const;
        const { state, expires_at } = await desk.commands.send(order);
        return { accepted: true, request_id: requestId, state, expires_at };
      },
      202,
    ),
    signed(
      'command/status',
      'How commands ended',
      z.strictObject({ request_ids: z.array(requestIdSchema).max(200) }),
      z.strictObject({ commands: z.array(commandAnswerSchema) }),
      async ({ request_ids: ids }) => ({ commands: await findCommands(db, ids) }),
    ),
    signed(
      'command/known',
      "The commands that a device's profile offers",
      z.strictObject({ farm: z.string(), device_uid: z.string() }),
      z.strictObject({ commands: z.array(z.looseObject({ name: z.string() })) }),
      async ({ farm, device_uid: uid }) => {
        const { profile } = await theDevice(db, uid, farm);
        return { commands: knownCommands(desk.profileOf(profile ?? '')) };
      },
    ),
    signed('outbox/summary', 'What waits for Odoo, by kind', empty, summarySchema, async () => ({
      kinds: (await countOutbox(db)).map(({ kind, pending, parked, oldestPendingS }) => ({
        kind,
        pending,
        parked,
        oldest_pending_s: oldestPendingS === null ? null : Math.round(oldestPendingS),
      })),
      cursors: await listCursors(db),
    })),
    signed(
      'outbox/parked',
      'Records that Odoo refused, with the reason',
      z.strictObject({
        limit: z.int().min(1).max(1_000).default(200),
        after_id: z.int().min(0).default(0),
      }),
      z.strictObject({
        records: z.array(z.looseObject({ id: z.int(), kind: z.string(), source_id: z.string() })),
      }),
      async ({ limit, after_id: afterId }) => ({
        records: (await listParked(db, { limit, afterId })).map(({ sourceId, pendingSince, ...row }) => ({
          ...row,
          source_id: sourceId,
          pending_since: pendingSince,
        })),
      }),
    ),
    signed(
      'outbox/retry',
      'Puts parked records back into the queue',
      idsSchema,
      z.strictObject({ retried: z.int() }),
      async ({ ids }) => ({ retried: await retryParked(db, ids) }),
    ),
    signed(
      'outbox/ignore',
      'Gives parked records up: they are not sent any more',
      idsSchema,
      z.strictObject({ ignored: z.int() }),
      async ({ ids }) => ({ ignored: await ignoreParked(db, ids) }),
    ),
    signed(
      'key/rotate',
      'Lets the connector fetch a new API key',
      empty,
      z.strictObject({ expires: z.iso.datetime().nullable() }),
      async () => ({ expires: (await desk.rotateKey()) ?? null }),
    ),
    route({
      method: 'post',
      path: '/api/v1/odoo/hook/{token}',
      tag,
      summary:
        'For webhook actions of Odoo: JSON as Odoo sends it, answered at once and worked on afterwards',
      open: true,
      params: z.strictObject({ token: z.string() }),
      body: hookSchema,
      answer: acceptedSchema,
      status: 202,
      async handle({ params, body }) {
        // As if it did not exist: the address is the secret.
        if (desk.hookToken === '' || !isSameSecret(params.token, desk.hookToken))
          throw new HttpError(404, 'there is no such hook: see odoo.hook_token');
        await storeEvent(db, { model: body._model, recordId: body._id ?? null, payload: body });
        desk.onEvent();
        return { accepted: true };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/odoo/resync',
      tag,
      summary: 'Takes everything from Odoo anew; what is no longer there is forgotten',
      body: empty,
      answer: acceptedSchema,
      status: 202,
      async handle() {
        await desk.resync();
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
        await desk.reconcile(body.days);
        return readReport(db, body.days);
      },
    }),
  ];
}

async function authenticate(request: Request, { db, secret }: OdooDesk): Promise<void> {
  if (secret === '')
    throw new HttpError(503, 'calls of Odoo are refused: set CONNECTOR_ODOO_SECRET (odoo.secret)');
  const bytes = (request as { bytes?: Uint8Array }).bytes ?? new Uint8Array();
  const check = checkSignature(request.get('x-smart-dairy-signature'), bytes, secret, Date.now());
  if (!check.ok) throw new HttpError(401, check.reason);
  if (!(await takeSignature(db, check.digest, signatureWindowS)))
    throw new HttpError(401, 'this call was made before: sign each call anew');
}
