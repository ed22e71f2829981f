// Envelope v1 into a decoded message.
import { envelopeSchema, type Envelope } from '../../contract/envelope.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import { nearMatch } from '../../contract/near-match.ts';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';
import type { DecodedData, DecodedPoint } from './decoded.ts';
import { parseMoment } from './moment.ts';
import { toWord } from './pointer.ts';
import { isUsualEnvelope } from './usual-envelope.ts';

/** Decodes an envelope; a string is the reason why it cannot be taken. */
export function decodeEnvelope(payload: object, catalogue: MetricCatalogue): DecodedData | string {
  const envelope = isUsualEnvelope(payload) ? payload : parseEnvelope(payload);
  if (typeof envelope === 'string') return envelope;
  const at = parseMoment(envelope.at);
  if (at === undefined) return `envelope v1: at: '${envelope.at}' is not a moment`;
  const points: DecodedPoint[] = [];
  for (const [index, point] of envelope.points.entries()) {
    if (!catalogue.has(point.m))
      return `envelope v1: points.${index}.m: ${unknownMetric(point.m, catalogue)}`;
    const time = point.t === undefined ? at : parseMoment(point.t);
    if (time === undefined) return `envelope v1: points.${index}.t: '${point.t ?? ''}' is not a moment`;
    points.push({ metric: point.m, time, value: point.v, quality: point.q ?? 0 });
  }
  for (const [metric, value] of [
    ['battery', envelope.battery],
    ['rssi', envelope.rssi],
  ] as const) {
    if (value !== undefined) points.push({ metric, time: at, value, quality: 0 });
  }
  return {
    at,
    points,
    rfid: envelope.animal?.rfid,
    animalRef: toWord(envelope.animal?.id),
    session: envelope.session,
    ...(envelope.id === undefined ? {} : { messageId: envelope.id }),
    stall: toWord(envelope.stall),
    profile: undefined,
  };
}

function parseEnvelope(payload: object): Envelope | string {
  const parsed = safeParse(envelopeSchema, payload);
  if (parsed.success) return parsed.data;
  return `envelope v1: ${firstIssue(parsed.error)}`;
}

/** Says that a metric is not in the catalogue, and which one may be meant. */
export function unknownMetric(name: string, catalogue: MetricCatalogue): string {
  const near = nearMatch(name, [...catalogue.keys()]);
  return `metric '${name}' is not in the catalogue${near === undefined ? '' : `; did you mean '${near}'?`}`;
}
