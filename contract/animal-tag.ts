// Electronic animal identification, ISO 11784: 15 digits as text, and 64 bits in hexadecimal. What has only the shape is none.
import * as z from 'zod';
import { countryCodes } from './countries.ts';

/** 38 bits. */
const largestNational = 274_877_906_943;

/** Why 15 digits are no animal's code; undefined when they are one. 999 is for tests. */
export function tagProblem(tag: string): string | undefined {
  if (!/^\d{15}$/.test(tag)) return 'an RFID tag has 15 digits (ISO 11784)';
  const country = tag.slice(0, 3);
  if (country < '900' && !countryCodes.has(country))
    return `${country} is no country (ISO 3166: 050 is Bangladesh) and no manufacturer (900 to 998)`;
  const national = tag.slice(3);
  if (Number(national) > largestNational) return `${national} is more than the 38 bits of a tag can hold`;
  return undefined;
}

/** A tag in a message or a file. */
export const rfidSchema = z.string().superRefine((tag, context) => {
  const problem = tagProblem(tag);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** Digits as people and devices write them, with or without spaces between; undefined when they are no animal's code. */
export function toTag(text: string): string | undefined {
  const digits = text.replaceAll(' ', '');
  return tagProblem(digits) === undefined ? digits : undefined;
}

/** The order in which a reader writes a tag's bits: the animal flag first, or (as the air interface has it) last. */
export const bitOrders = ['msb', 'lsb'] as const;
export type BitOrder = (typeof bitOrders)[number];

/**
 * The tag in 16 hexadecimal digits. Without `order` both are tried: what reads as an animal either way could be another
 * animal's, so it is none until somebody says how the reader writes.
 */
export function hexTag(hex: string, order?: BitOrder): { tag: string } | { reason: string } {
  const bits = BigInt(`0x${hex}`);
  const straight = tagOfBits(bits);
  const reversed = tagOfBits(reversedBits(bits));
  if (order !== undefined) return order === 'msb' ? straight : reversed;
  if (!('tag' in straight && 'tag' in reversed)) return 'tag' in reversed ? reversed : straight;
  if (straight.tag === reversed.tag) return straight;
  const reason = `reads as ${straight.tag} and, in reversed bit order, as ${reversed.tag}; set bit_order of the reader`;
  return { reason };
}

/** Animal flag 1, retagging counter 3, user information 5, reserved 6, data block flag 1, country 10, national code 38 bits. */
function tagOfBits(bits: bigint): { tag: string } | { reason: string } {
  if (bits >> 63n === 0n) return { reason: 'an industrial tag, not an animal' };
  if (((bits >> 49n) & 0x3fn) !== 0n) return { reason: 'has bits set that ISO 11784 reserves' };
  const country = String((bits >> 38n) & 0x3ffn).padStart(3, '0');
  const tag = country + String(bits & 0x3f_ffff_ffffn).padStart(12, '0');
  const reason = tagProblem(tag);
  return reason === undefined ? { tag } : { reason };
}

function reversedBits(bits: bigint): bigint {
  return BigInt(`0b${Array.from(bits.toString(2).padStart(64, '0')).reverse().join('')}`);
}
