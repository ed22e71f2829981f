// Milesight's payload: channel, type and value, again and again. Pure.
import type { Codec, CodecField, CodecReading } from './codec.ts';

/** A value at `at` in the payload, checked to be as long as its length says. */
interface Item {
  length: number;
  read: (view: DataView, at: number) => CodecField[];
}
/** Channel and type as one number, 0x0367 for channel 3 type 0x67. */
export type Items = ReadonlyMap<number, Item>;

const skip = (length: number): Item => ({ length, read: () => [] });

/** A signed word, little endian. */
export const int16 = (field: string): Item => ({
  length: 2,
  read: (view, at) => [{ field, value: view.getInt16(at, true) }],
});

export const uint8 = (field: string): Item => ({
  length: 1,
  read: (view, at) => [{ field, value: view.getUint8(at) }],
});

/** What every model may send: battery, and a description of itself after joining. */
const common: Items = new Map([
  [0x0175, uint8('battery')],
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

/** A stored record: its time, then the same values as live, then what is reserved. */
export const history = (items: readonly Item[], reserved = 0): Item => ({
  length: 4 + items.reduce((sum, item) => sum + item.length, 0) + reserved,
  read: (view, start) => {
    const time = view.getUint32(start, true) * 1000;
    let at = start + 4;
    return items.flatMap((item) => {
      const fields = item.read(view, at).map((field) => ({ ...field, time }));
      at += item.length;
      return fields;
    });
  },
});

/** Reads items up to the end. An unknown one ends it, because nobody knows how long it is: what came before counts. */
export function milesightDecoder(own: Items): Codec['decode'] {
  return (_fPort, bytes): CodecReading | string => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const fields: CodecField[] = [];
    let at = 0;
    while (at < bytes.length) {
      const name = at + 2 <= bytes.length ? view.getUint16(at) : undefined;
      const item = name === undefined ? undefined : (own.get(name) ?? common.get(name));
      if (item === undefined || at + 2 + item.length > bytes.length) {
        const note = `cannot be read from byte ${at} on (${Buffer.from(bytes.subarray(at, at + 8)).toString('hex')})`;
        return fields.length === 0 ? note : { fields, note };
      }
      fields.push(...item.read(view, at + 2));
      at += 2 + item.length;
    }
    return bytes.length === 0 ? 'the payload is empty' : { fields };
  };
}
