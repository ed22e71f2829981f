// What a ChirpStack uplink says: radio values, and measured ones by our profile. Pure.
import type { Envelope } from '../../contract/envelope.ts';
import type { ChirpEvent } from './events.ts';
import type { Measured, Model } from './model.ts';

/** What an event says: an envelope to publish, a state to report, both, or nothing. */
export interface Said {
  envelope?: Envelope;
  state?: { state: 'online' | 'degraded'; detail?: string };
}

type Up = Extract<ChirpEvent, { kind: 'up' }>['body'];

/**
 * Radio values always; measured ones only by a profile, which knows the units: through our codec, else from the `object` of
 * ChirpStack's. What is not stored is told, with the payload, so that it is not lost before there is a profile.
 */
export function uplink(
  body: Up,
  context: {
    model: Model | undefined;
    at: number;
    envelopeOf: (points: Envelope['points']) => Envelope;
  },
): Said {
  const { model, at, envelopeOf } = context;
  const best = body.rxInfo.toSorted((a, b) => b.rssi - a.rssi)[0];
  const radio = best === undefined ? [] : [{ m: 'snr', v: best.snr }];
  const rssi = best === undefined ? {} : { rssi: best.rssi };
  const bytes = Buffer.from(body.data, 'base64');
  const read = bytes.length === 0 ? undefined : model?.read?.(body.fPort, bytes);
  const named = typeof read === 'object' ? undefined : model?.readObject?.(body.object);
  const found = typeof read === 'object' ? read : named?.values.length === 0 ? undefined : named;
  if (found !== undefined) {
    const points = unique([...found.values.map((value) => toPoint(value, at)), ...radio]);
    const detail = found.note === undefined ? {} : { detail: printable(found.note) };
    return {
      envelope: { ...envelopeOf(points), ...rssi },
      state: { state: found.note === undefined ? 'online' : 'degraded', ...detail },
    };
  }
  const envelope = { ...envelopeOf(radio), ...rssi };
  const fields = Object.keys(body.object ?? {});
  if (bytes.length === 0 && fields.length === 0) return { envelope, state: { state: 'online' } };
  const reason = [
    typeof read === 'string' ? read : unreadable(body, model),
    ...(fields.length === 0 ? [] : [notStored(fields)]),
    `fPort ${body.fPort}, payload ${bytes.toString('hex')}`,
  ];
  return { envelope, state: { state: 'degraded', detail: printable(reason.join('; ')) } };
}

function unreadable(body: Up, model: Model | undefined): string {
  return model === undefined
    ? `no profile for ChirpStack's device profile '${body.deviceInfo.deviceProfileName}'`
    : `nothing in it that profile '${model.name}' maps`;
}

const toldFields = 20;

function notStored(fields: readonly string[]): string {
  const more = fields.length > toldFields ? ', …' : '';
  return `not stored, because their units are unknown: ${fields.slice(0, toldFields).join(', ')}${more}; say under lorawan.object of a profile what they are`;
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
export const printable = (text: string) =>
  text
    .replaceAll(/[\u0000-\u001f]/g, ' ')
    .toWellFormed()
    .slice(0, 1000);
