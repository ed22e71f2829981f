// CoAP requests for tests, byte by byte.

/** A confirmable POST with token byte 0xAB; each text stays below 269 bytes. */
export function request(
  id: number,
  path: string[],
  query: string,
  payload: string,
  extra: number[] = [],
): Buffer {
  const option = (delta: number, text: string) => {
    const bytes = Buffer.from(text);
    const nibble = bytes.length < 13 ? bytes.length : 13;
    return Buffer.concat([
      Buffer.from([(delta << 4) | nibble, ...(nibble === 13 ? [bytes.length - 13] : [])]),
      bytes,
    ]);
  };
  return Buffer.concat([
    Buffer.from([0x41, 0x02, id >> 8, id & 0xff, 0xab]),
    ...path.map((part, index) => option(index === 0 ? 11 : 0, part)),
    ...(query === '' ? [] : [option(4, query)]),
    Buffer.from(extra),
    Buffer.from([0xff]),
    Buffer.from(payload),
  ]);
}
