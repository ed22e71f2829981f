// What Odoo asks of devices: their latest values, commands to them and how those ended.
import * as z from 'zod';
import type { Profile } from '../../contract/profile.ts';
import type { CommandDesk } from '../commands/desk.ts';
import { knownCommands } from '../commands/known.ts';
import { findCommands } from '../db/commands.ts';
import { latestValues, recentSeries } from '../db/odoo-events.ts';
import {
  commandAnswerSchema,
  commandNameSchema,
  commandParamsShape,
  requestIdSchema,
} from './command-routes.ts';
import { theDevice } from './lookup.ts';
import { signedRoute, type SignedBy } from './odoo-signed.ts';
import type { Route } from './route.ts';

/** What these routes work with. */
export interface OdooDeviceDesk extends SignedBy {
  commands: CommandDesk;
  profileOf: (name: string) => Profile | undefined;
}

const commandSchema = z.strictObject({
  farm: z.string(),
  device_uid: z.string(),
  command: commandNameSchema,
  params: z.strictObject(commandParamsShape).prefault({}),
  request_id: requestIdSchema,
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
export function odooDeviceRoutes(desk: OdooDeviceDesk): Route[] {
  const { db } = desk;
  return [
    signedRoute(desk, {
      path: 'latest',
      summary: 'Latest values of devices, and on request their course per 15 minutes',
      body: z.strictObject({
        devices: z.array(z.string()).min(1).max(500),
        chart_hours: z.int().min(1).max(168).optional(),
      }),
      example: { devices: ['farm1/tank_1'], chart_hours: 24 },
      answer: latestSchema,
      handle: async ({ devices, chart_hours: hours }) => ({
        values: await latestValues(db, devices, latestHours),
        ...(hours === undefined ? {} : { series: await recentSeries(db, devices, hours) }),
      }),
    }),
    signedRoute(desk, {
      path: 'command',
      summary: 'Sends a command to a device',
      body: commandSchema,
      example: { farm: 'farm1', device_uid: 'feeder_1', command: 'give_feed', request_id: 'order-17' },
      answer: z.strictObject({
        accepted: z.literal(true),
        request_id: z.string(),
        state: z.string(),
        expires_at: z.string(),
      }),
      status: 202,
      handle: async ({ farm, device_uid: uid, command, params, request_id: requestId }) => {
        const device = await theDevice(db, uid, farm);
        const { value, timeout_ms: timeoutMs } = params;
        const order = { requestId, device, command, value, timeoutMs, requestedBy: 'odoo' } as const;
        const { state, expires_at } = await desk.commands.send(order);
        return { accepted: true, request_id: requestId, state, expires_at };
      },
    }),
    signedRoute(desk, {
      path: 'command/status',
      summary: 'How commands ended',
      body: z.strictObject({ request_ids: z.array(requestIdSchema).max(200) }),
      example: { request_ids: ['order-17'] },
      answer: z.strictObject({ commands: z.array(commandAnswerSchema) }),
      handle: async ({ request_ids: ids }) => ({ commands: await findCommands(db, ids) }),
    }),
    signedRoute(desk, {
      path: 'command/known',
      summary: "The commands that a device's profile offers",
      body: z.strictObject({ farm: z.string(), device_uid: z.string() }),
      example: { farm: 'farm1', device_uid: 'feeder_1' },
      answer: z.strictObject({ commands: z.array(z.looseObject({ name: z.string() })) }),
      handle: async ({ farm, device_uid: uid }) => {
        const { profile } = await theDevice(db, uid, farm);
        return { commands: knownCommands(desk.profileOf(profile ?? '')) };
      },
    }),
  ];
}
