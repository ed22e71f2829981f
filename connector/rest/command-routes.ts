// Commands to devices over REST, and how they ended.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { commandStates } from '../../contract/commands.ts';
import type { CommandDesk } from '../commands/desk.ts';
import { commandsOfDevice, findCommands } from '../db/commands.ts';
import type { Queryable } from '../db/pool.ts';
import { farmSchema, theDevice } from './lookup.ts';
import { noSuch } from './problem.ts';
import { route, type Route } from './route.ts';

const tag = 'Commands';

/** Visible characters: it is a key in logs, topics and addresses. */
export const requestIdSchema = z.string().regex(/^[\x21-\x7e]{1,128}$/, '1 to 128 visible ASCII characters');
export const commandNameSchema = z.string().regex(/^[\w.:-]{1,64}$/, 'letters, digits, _ . : -, at most 64');
const valueSchema = z.union([z.number(), z.string().max(256), z.boolean()]);

/** What comes with a command. */
export const commandParamsShape = {
  value: valueSchema.optional().describe('In the unit of the register, as the profile or codec says'),
  timeout_ms: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('Ends as timed_out after this time, and is not executed later'),
};

/** A command as it is answered. */
export const commandAnswerSchema = z.strictObject({
  request_id: z.string(),
  farm: z.string(),
  device_uid: z.string(),
  command: z.string(),
  value: valueSchema.nullable(),
  state: z
    .enum(commandStates)
    .describe('sent, accepted by the gateway, then done, rejected, failed or timed_out'),
  detail: z.string().nullable(),
  result_value: valueSchema.nullable().describe('Read back from the device'),
  requested_by: z.enum(['odoo', 'rest']),
  requested_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});

/** The routes. */
export function commandRoutes(db: Queryable, desk: CommandDesk): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/iot/devices/{device_uid}/commands',
      tag,
      summary: 'Sends a command to a device',
      description:
        'Answered when the broker has it; ask for the command, or listen to the live stream, for how it ends. ' +
        'The same request_id again is the same command and is not sent twice.',
      params: z.object({ device_uid: z.string() }),
      query: z.strictObject({ farm: farmSchema }),
      renamed: { input: { farm: 'farm_id' } },
      body: z.strictObject({
        command: commandNameSchema,
        ...commandParamsShape,
        request_id: requestIdSchema.optional().describe('A new one is made without it'),
      }),
      example: { params: { device_uid: 'feeder_1' }, body: { command: 'give_feed', value: 2.5 } },
      status: 202,
      answer: commandAnswerSchema,
      async handle({ params, query, body }) {
        const device = await theDevice(db, params.device_uid, query.farm);
        const { command, value, timeout_ms: timeoutMs, request_id: requestId = randomUUID() } = body;
        return desk.send({ requestId, device, command, value, timeoutMs, requestedBy: 'rest' });
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/iot/devices/{device_uid}/commands',
      tag,
      summary: 'Commands of a device, newest first',
      params: z.object({ device_uid: z.string() }),
      example: { params: { device_uid: 'feeder_1' } },
      query: z.strictObject({
        farm: farmSchema,
        limit: z.coerce.number().int().min(1).max(1_000).default(100),
      }),
      answer: z.strictObject({ commands: z.array(commandAnswerSchema) }),
      async handle({ params, query }) {
        const device = await theDevice(db, params.device_uid, query.farm);
        return { commands: await commandsOfDevice(db, device.id, query.limit) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/iot/commands/{request_id}',
      tag,
      summary: 'One command, and how it ended',
      params: z.object({ request_id: z.string() }),
      example: { params: { request_id: 'order-17' } },
      answer: commandAnswerSchema,
      async handle({ params }) {
        const [row] = await findCommands(db, [params.request_id]);
        if (row === undefined) throw noSuch('request_id', `there is no command ${params.request_id}`);
        return row;
      },
    }),
  ];
}
