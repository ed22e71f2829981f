// What a ChirpStack event says of a device: values, and how it is. Pure.
import { quality, storable, type Envelope } from '../../contract/envelope.ts';
import { eventTime } from './event-time.ts';
import type { ChirpEvent } from './events.ts';
import type { Model } from './model.ts';
import { printable, uplink, type Said } from './uplink.ts';

/** `arrivedAt`, epoch ms, stands in for a time that is missing or cannot be. */
export function interpret(
  event: ChirpEvent,
  { model, arrivedAt }: { model: Model | undefined; arrivedAt: number },
): Said {
  const { at, doubt } = eventTime(event.body, arrivedAt);
  const envelopeOf = (points: Envelope['points']): Envelope => ({
    v: 1,
    at: new Date(at).toISOString(),
    points: points.map((point) => ({ ...point, ...marked(point, doubt) })),
    ...idOf(event.body.deduplicationId),
  });
  switch (event.kind) {
    case 'up':
      return withDoubt(uplink(event.body, { model, at, envelopeOf }), doubt);
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

/** A value whose moment is doubtful: quality 3, unless it is marked already or keeps a time of its own. */
function marked({ q, t }: Envelope['points'][number], doubt: string | undefined): { q?: number } {
  return doubt === undefined || q !== undefined || t !== undefined ? {} : { q: quality.clockUnsynchronised };
}

function withDoubt(said: Said, doubt: string | undefined): Said {
  if (doubt === undefined) return said;
  const before = said.state?.detail;
  const detail = printable(before === undefined ? doubt : `${doubt}; ${before}`);
  return { ...said, state: { state: 'degraded', detail } };
}

/** The sender's id, where it is one that can be stored. */
const idOf = (id: string) => (id === '' || !storable(id) ? {} : { id });
