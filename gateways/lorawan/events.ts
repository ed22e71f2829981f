// ChirpStack v4 integration events: what they say of a device. Pure. Proto3 JSON leaves out whatever is 0, false or empty.
import * as z from 'zod';
import type { Envelope } from '../../contract/envelope.ts';
import { safeParse } from '../../contract/safe-parse.ts';
import type { Measured, Model } from './model.ts';

export const eventKinds = ['up', 'status', 'join', 'ack', 'txack', 'log', 'location'] as const;
export type EventKind = (typeof eventKinds)[number];

/** Device EUI in lower case, as topics and configuration name it. */
export const devEuiSchema = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{16}$/, 'a device EUI has 16 hexadecimal digits');

const base = z.object({
  deduplicationId: z.string().max(128).default(''),
  time: z.iso.datetime({ offset: true }).optional(),
  deviceInfo: z.object({
    applicationId: z.string().max(128).default(''),
    deviceProfileName: z.string().default(''),
    deviceName: z.string().default(''),
    devEui: devEuiSchema,
    tags: z.record(z.string(), z.string()).default({}),
  }),
});
const location = z.object({ latitude: z.number().default(0), longitude: z.number().default(0) });

const schemas = {
  up: base.extend({
    fPort: z.int().min(0).max(255).default(0),
    data: z.base64().default(''),
    object: z.record(z.string(), z.unknown()).nullish(),
    rxInfo: z.array(z.object({ rssi: z.number().default(0), snr: z.number().default(0) })).default([]),
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
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `event ${kind}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`;
  }
  const id = parsed.data.deduplicationId;
  return { kind, key: id === '' ? '' : `${kind}:${id}`, body: parsed.data } as ChirpEvent;
}

/** What an event says: an envelope to publish, a state to report, both, or nothing. */
export interface Said {
  envelope?: Envelope;
  state?: { state: 'online' | 'degraded'; detail?: string };
}

/** `arrivedAt`, epoch ms, stands in for an event's missing time; `metrics` are the names that the catalogue has. */
export function interpret(
  event: ChirpEvent,
  {
    model,
    arrivedAt,
    metrics,
  }: { model: Model | undefined; arrivedAt: number; metrics: { has(name: string): boolean } },
): Said {
  const at = event.body.time === undefined ? arrivedAt : Date.parse(event.body.time);
  const envelopeOf = (points: Envelope['points']): Envelope => ({
    v: 1,
    at: new Date(at).toISOString(),
    points,
    ...(event.body.deduplicationId === '' ? {} : { id: event.body.deduplicationId }),
  });
  switch (event.kind) {
    case 'up':
      return uplink(event.body, { model, at, metrics, envelopeOf });
    case 'status': {
      const { externalPowerSource, batteryLevelUnavailable, batteryLevel } = event.body;
      const isKnown = !externalPowerSource && !batteryLevelUnavailable;
      if (!isKnown || batteryLevel < 0 || batteryLevel > 100) return {};
      return { envelope: { ...envelopeOf([]), battery: batteryLevel } };
    }
    case 'location': {
      const place = event.body.location;
      if (place === undefined || (place.latitude === 0 && place.longitude === 0)) return {};
      return {
        envelope: envelopeOf([
          { m: 'latitude', v: place.latitude },
          { m: 'longitude', v: place.longitude },
        ]),
      };
    }
    case 'join':
      return { state: { state: 'online', detail: 'joined the network' } };
    case 'ack':
      return event.body.acknowledged
        ? {}
        : {
            state: {
              state: 'degraded',
              detail: printable(`did not acknowledge downlink ${event.body.queueItemId}`),
            },
          };
    case 'log': {
      const { level, code, description } = event.body;
      if (level === 'INFO') return {};
      return { state: { state: 'degraded', detail: printable(`ChirpStack: ${code} ${description}`) } };
    }
    case 'txack':
      return {};
  }
}

/** Radio values always; measured ones by our profile, else by ChirpStack's own codec as far as it uses the catalogue's names. */
function uplink(
  body: Extract<ChirpEvent, { kind: 'up' }>['body'],
  context: {
    model: Model | undefined;
    at: number;
    metrics: { has(name: string): boolean };
    envelopeOf: (points: Envelope['points']) => Envelope;
  },
): Said {
  const { model, at, metrics, envelopeOf } = context;
  const best = body.rxInfo.toSorted((a, b) => b.rssi - a.rssi)[0];
  const radio = best === undefined ? [] : [{ m: 'snr', v: best.snr }];
  const rssi = best === undefined ? {} : { rssi: best.rssi };
  const bytes = Buffer.from(body.data, 'base64');
  const read = model === undefined || bytes.length === 0 ? undefined : model.read(body.fPort, bytes);
  if (typeof read === 'object') {
    const points = unique([...read.values.map((value) => toPoint(value, at)), ...radio]);
    const detail = read.note === undefined ? {} : { detail: printable(read.note) };
    return {
      envelope: { ...envelopeOf(points), ...rssi },
      state: { state: read.note === undefined ? 'online' : 'degraded', ...detail },
    };
  }
  const named = Object.entries(body.object ?? {}).flatMap(([m, v]) =>
    typeof v === 'number' && Number.isFinite(v) && metrics.has(m) ? [{ m, v }] : [],
  );
  const envelope = { ...envelopeOf(unique([...named, ...radio])), ...rssi };
  if (bytes.length === 0 || (model === undefined && named.length > 0))
    return { envelope, state: { state: 'online' } };
  const reason = read ?? `no profile for ChirpStack's device profile '${body.deviceInfo.deviceProfileName}'`;
  // The payload stays readable where a person looks for it, so that it is not lost before there is a profile.
  const detail = printable(`${reason}; fPort ${body.fPort}, payload ${bytes.toString('hex')}`);
  return { envelope, state: { state: 'degraded', detail } };
}

function toPoint({ metric, value, quality, time, ageMs }: Measured, at: number): Envelope['points'][number] {
  const moment = time ?? (ageMs === undefined || ageMs === 0 ? undefined : at - ageMs);
  return {
    m: metric,
    v: value,
    ...(quality === undefined ? {} : { q: quality }),
    ...(moment === undefined ? {} : { t: new Date(moment).toISOString() }),
  };
}

/** One value per metric and moment: the first. */
function unique(points: Envelope['points']): Envelope['points'] {
  const seen = new Set<string>();
  return points.filter(({ m, t }) => {
    const key = `${m} ${t ?? ''}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Text that a status may carry. */
const printable = (text: string) =>
  text
    .replaceAll(/[\u0000-\u001f]/g, ' ')
    .toWellFormed()
    .slice(0, 1000);
