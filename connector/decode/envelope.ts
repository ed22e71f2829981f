// Envelope v1 into a decoded message.
import type * as z from 'zod';
import { envelopeSchema, type Envelope } from '../../contract/envelope.ts';
import { unknownMetric, type MetricCatalogue } from '../../contract/metrics.ts';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';
import type { DecodedData, DecodedPoint } from './decoded.ts';
import { parseMoment } from './moment.ts';
import { toWord } from '../../contract/pointer.ts';
import { isUsualEnvelope } from './usual-envelope.ts';

/** Decodes an envelope; a string is the reason why it cannot be taken. */
export function decodeEnvelope(payload: object, catalogue: MetricCatalogue): DecodedData | string {
  const unread: string[] = [];
  const envelope = isUsualEnvelope(payload) ? payload : parseEnvelope(payload, unread);
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
    ...(unread.length === 0 ? {} : { unread }),
  };
}

/** What an envelope can do without. */
const spare = ['id', 'animal', 'stall', 'battery', 'rssi'] as const;

/** As the schema reads it; a spare field that it cannot read goes to `unread`. */
function parseEnvelope(payload: object, unread: string[]): Envelope | string {
  const parsed = safeParse(envelopeSchema, payload);
  if (parsed.success) return parsed.data;
  const rest: Record<string, unknown> = { ...payload };
  for (const key of spare) {
    const field = safeParse(envelopeSchema.shape[key] as z.ZodType, rest[key]);
    if (field.success) continue;
    const issues = field.error.issues.map((issue) => ({ ...issue, path: [key, ...issue.path] }));
    unread.push(`envelope v1: ${firstIssue({ issues })}`);
    rest[key] = key === 'animal' ? meantAnimal(rest[key]) : undefined;
  }
  const again = unread.length === 0 ? parsed : safeParse(envelopeSchema, rest);
  return again.success ? again.data : `envelope v1: ${firstIssue(again.error)}`;
}

/** Whatever else an animal's name is good for: a person may know whom it means. */
function meantAnimal(animal: unknown): Envelope['animal'] {
  if (typeof animal !== 'object' || animal === null) return undefined;
  const { id, rfid } = animal as { id?: unknown; rfid?: unknown };
  const name = (toWord(id) ?? toWord(rfid))?.slice(0, 64);
  return name === undefined ? undefined : { id: name };
}
