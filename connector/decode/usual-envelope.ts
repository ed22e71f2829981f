// Whether a payload is a valid envelope v1, told in a fraction of the time that its schema takes.
import * as z from 'zod';
import { envelopeSchema, type Envelope } from '../../contract/envelope.ts';
import { safeParse } from '../../contract/safe-parse.ts';

const isoMoment = z.core.regexes.datetime({ offset: true });
const fields: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(envelopeSchema.shape));
const mostPoints = 10_000;

/** True only for what the schema accepts. On false ask the schema: it knows the reason, and the rare shapes. */
export function isUsualEnvelope(payload: object): payload is Envelope {
  for (const key in payload) if (!isField(key, (payload as Record<string, unknown>)[key])) return false;
  return 'v' in payload && 'at' in payload && 'points' in payload;
}

function isField(key: string, value: unknown): boolean {
  if (key === 'v') return value === 1;
  if (key === 'at') return isMoment(value);
  if (key === 'points') return Array.isArray(value) && value.length <= mostPoints && value.every(isPoint);
  const field = fields.get(key);
  return field !== undefined && safeParse(field, value).success;
}

const isMoment = (value: unknown) =>
  typeof value === 'string' ? isoMoment.test(value) : Number.isFinite(value);

function isPoint(point: unknown): boolean {
  if (typeof point !== 'object' || point === null) return false;
  for (const key in point) {
    const value = (point as Record<string, unknown>)[key];
    if (!isPointField(key, value)) return false;
  }
  return 'm' in point && 'v' in point;
}

function isPointField(key: string, value: unknown): boolean {
  if (key === 'm') return typeof value === 'string' && value.length <= 64;
  if (key === 'v') return Number.isFinite(value);
  if (key === 't') return isMoment(value);
  return key === 'q' && Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 32_767;
}
