// RTU frames for tests.

/** Bytes with their checksum behind them. */
export function withCrc(bytes: Buffer): Buffer {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0xa001 : value >> 1;
  }
  return Buffer.concat([bytes, Buffer.from([value & 0xff, value >> 8])]);
}
