// ISO 11784 animal codes: 15 digits, or 64 bits as hexadecimal. Pure.

/** Largest national identification code: 38 bits. */
const largestNational = 274_877_906_943;

/** Country and national code as the 15-digit tag; a string with a space is the reason why they are none. */
export function toTag(
  country: number,
  national: number,
  allowTest: boolean,
): { tag: string } | { reason: string } {
  if (!Number.isInteger(country) || country < 1 || country > 999)
    return { reason: `${country} is no country or manufacturer (001 to 998)` };
  if (country === 999 && !allowTest) return { reason: '999 is for tests; set allow_test to take it' };
  if (!Number.isSafeInteger(national) || national < 0 || national > largestNational)
    return { reason: `${national} is more than 38 bits can hold` };
  return { tag: String(country).padStart(3, '0') + String(national).padStart(12, '0') };
}

/** 16 hexadecimal digits as the chip holds them: animal flag, reserved bits, 10 bits of country, 38 of national code. */
export function fromHex(hex: string, allowTest: boolean): { tag: string } | { reason: string } {
  const bits = BigInt(`0x${hex}`);
  if (bits >> 63n === 0n) return { reason: 'an industrial tag, not an animal' };
  return toTag(Number((bits >> 38n) & 0x3ffn), Number(bits & 0x3f_ffff_ffffn), allowTest);
}
