// JSON pointers (RFC 6901) into payloads, and the loose reading of numbers and words that devices send.
import * as z from 'zod';

/** A pointer in a profile. */
export const pointerSchema = z
  .string()
  .regex(/^(\/[^/]+)+$/, "a JSON pointer such as '/quality/fat_percentage'");

/** The value at a pointer, or undefined. */
export function atPointer(payload: unknown, pointer: string): unknown {
  let value = payload;
  for (const part of pointer.slice(1).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** A finite number, also one sent as text; undefined when it is none. */
export function toNumber(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^\s*[+-]?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value);
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A short word: text or a number as text; undefined for null, objects, the empty text and what cannot be stored. */
export function toWord(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim();
  if (word === '' || word.length > 128 || /[\u0000-\u001f]/.test(word) || !word.isWellFormed())
    return undefined;
  return word;
}
