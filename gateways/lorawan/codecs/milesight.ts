// Milesight's payload: channel, type and value, again and again. Pure.
import type { Codec, CodecCommand, CodecPoint, CodecReading } from './codec.ts';

/** A value at `at` in the payload, checked to be as long as its length says. */
interface Item {
  length: number;
  read: (view: DataView, at: number) => CodecPoint[];
}
/** Channel and type as one number, 0x0367 for channel 3 type 0x67. */
export type Items = ReadonlyMap<number, Item>;

const skip = (length: number): Item => ({ length, read: () => [] });

/** What every model may send: battery, and a description of itself after joining. */
const common: Items = new Map([
  [0x0175, { length: 1, read: (view, at) => [{ metric: 'battery', value: view.getUint8(at) }] }],
  [0xff01, skip(1)],
  [0xff08, skip(6)],
  [0xff09, skip(2)],
  [0xff0a, skip(2)],
  [0xff0b, skip(1)],
  [0xff0f, skip(1)],
  [0xff16, skip(8)],
  [0xfffe, skip(1)],
  [0xffff, skip(2)],
]);

/** Tenths of a degree, little endian. */
export const tenths = (metric: string): Item => ({
  length: 2,
  read: (view, at) => [{ metric, value: view.getInt16(at, true) / 10 }],
});

/** Half percents of humidity. */
export const halves = (metric: string): Item => ({
  length: 1,
  read: (view, at) => [{ metric, value: view.getUint8(at) / 2 }],
});

/** A stored record: its time, then the same values as live, then what is reserved. */
export const history = (items: readonly Item[], reserved = 0): Item => ({
  length: 4 + items.reduce((sum, item) => sum + item.length, 0) + reserved,
  read: (view, start) => {
    const time = view.getUint32(start, true) * 1000;
    let at = start + 4;
    return items.flatMap((item) => {
      const points = item.read(view, at).map((point) => ({ ...point, time }));
      at += item.length;
      return points;
    });
  },
});

/** Reads items up to the end. An unknown one ends it, because nobody knows how long it is: what came before counts. */
export function milesightDecoder(own: Items): Codec['decode'] {
  return (_fPort, bytes): CodecReading | string => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const points: CodecPoint[] = [];
    let at = 0;
    while (at < bytes.length) {
      const name = at + 2 <= bytes.length ? view.getUint16(at) : undefined;
      const item = name === undefined ? undefined : (own.get(name) ?? common.get(name));
      if (item === undefined || at + 2 + item.length > bytes.length) {
        const note = `cannot be read from byte ${at} on (${Buffer.from(bytes.subarray(at, at + 8)).toString('hex')})`;
        return points.length === 0 ? note : { points, note };
      }
      points.push(...item.read(view, at + 2));
      at += 2 + item.length;
    }
    return bytes.length === 0 ? 'the payload is empty' : { points };
  };
}

export const milesightCommands: Readonly<Record<string, CodecCommand>> = {
  set_interval: {
    description: 'Seconds between two uplinks',
    range: [60, 64_800],
    encode: (seconds) => ({ fPort: 85, bytes: Uint8Array.of(0xff, 0x03, seconds & 0xff, seconds >> 8) }),
  },
  reboot: {
    description: 'Restarts the device',
    encode: () => ({ fPort: 85, bytes: Uint8Array.of(0xff, 0x10, 0xff) }),
  },
};
