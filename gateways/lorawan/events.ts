// ChirpStack v4 integration events: what they say of a device. Pure. Proto3 JSON leaves out whatever is 0, false or empty.
import * as z from 'zod';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';

export const eventKinds = ['up', 'status', 'join', 'ack', 'txack', 'log', 'location'] as const;
export type EventKind = (typeof eventKinds)[number];

/** Device EUI in lower case, as topics and configuration name it. */
export const devEuiSchema = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{16}$/, 'a device EUI has 16 hexadecimal digits');

// What a reading does not need (`catch`) never costs it.
const base = z.object({
  deduplicationId: z.string().max(128).default(''),
  time: z.string().optional().catch(undefined),
  deviceInfo: z.object({
    applicationId: z.string().max(128).default(''),
    deviceProfileName: z.string().default(''),
    deviceName: z.string().default(''),
    devEui: devEuiSchema,
    tags: z.record(z.string(), z.string()).default({}).catch({}),
  }),
});
const reception = z.object({
  rssi: z.number().default(0),
  snr: z.number().default(0),
  /** When the network server had it, by its own clock. */
  nsTime: z.string().optional().catch(undefined),
});
const location = z.object({ latitude: z.number().default(0), longitude: z.number().default(0) });

const schemas = {
  up: base.extend({
    fPort: z.int().min(0).max(255).default(0),
    data: z.base64().default(''),
    object: z.record(z.string(), z.unknown()).nullish().catch(undefined),
    rxInfo: z.array(reception).default([]).catch([]),
  }),
  status: base.extend({
    externalPowerSource: z.boolean().default(false),
    batteryLevelUnavailable: z.boolean().default(false),
    batteryLevel: z.number().default(0),
  }),
  location: base.extend({ location: location.optional() }),
  join: base,
  ack: base.extend({ queueItemId: z.string().default(''), acknowledged: z.boolean().default(false) }),
  txack: base.extend({ queueItemId: z.string().default('') }),
  log: base.extend({
    level: z.string().default('INFO'),
    code: z.string().default('UNKNOWN'),
    description: z.string().default(''),
  }),
} as const;

export type DeviceInfo = z.infer<typeof base>['deviceInfo'];
/** An event that could be read; `body` as its kind has it. */
export type ChirpEvent = {
  [Kind in EventKind]: { kind: Kind; key: string; body: z.infer<(typeof schemas)[Kind]> };
}[EventKind];

/** Reads an event; a string is the reason why it is none. `key` is the same for every copy of one event. */
export function readEvent(kind: string, body: unknown): ChirpEvent | string {
  if (!(eventKinds as readonly string[]).includes(kind)) return `unknown event '${kind.slice(0, 40)}'`;
  const parsed = safeParse<ChirpEvent['body']>(schemas[kind as EventKind], body);
  if (!parsed.success) return `event ${kind}: ${firstIssue(parsed.error)}`;
  const id = parsed.data.deduplicationId;
  return { kind, key: id === '' ? '' : `${kind}:${id}`, body: parsed.data } as ChirpEvent;
}
