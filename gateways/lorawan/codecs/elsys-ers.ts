// Elsys ERS: temperature, humidity, light, motion, CO2. "Elsys LoRa payload": a type byte that tells length and meaning.
import { positionFields, unknownPort, viewOf, type Codec, type CodecField } from './codec.ts';

type Read = (view: DataView, at: number) => CodecField[];
const int16 = (field: string, from = 0): Read => {
  return (view, at) => [{ field, value: view.getInt16(at + from) }];
};
const uint16 = (field: string): Read => {
  return (view, at) => [{ field, value: view.getUint16(at) }];
};
const uint8 = (field: string): Read => {
  return (view, at) => [{ field, value: view.getUint8(at) }];
};
const nothing: Read = () => [];

/** Length and meaning of every type of the document; what no profile asks for is read over. */
const types: ReadonlyMap<number, readonly [length: number, read: Read]> = new Map([
  [0x01, [2, int16('temperature')]],
  [0x02, [1, uint8('humidity')]],
  [0x03, [3, nothing]], // acceleration
  [0x04, [2, uint16('light')]],
  [0x05, [1, uint8('motion')]],
  [0x06, [2, uint16('co2')]],
  [0x07, [2, uint16('battery_mv')]],
  [0x08, [2, nothing]], // analogue 1
  [0x09, [6, position]],
  [0x0a, [2, nothing]], // pulses
  [0x0b, [4, nothing]],
  [0x0c, [2, int16('probe_temperature')]],
  [0x0d, [1, nothing]], // digital
  [0x0e, [2, nothing]], // distance
  [0x0f, [1, nothing]], // motion of the accelerometer
  [0x10, [4, int16('object_temperature', 2)]], // infrared: own, then the object's
  [0x11, [1, nothing]], // occupancy
  [0x12, [1, nothing]], // water leak
  [0x13, [65, nothing]], // grid eye
  [0x14, [4, (view, at) => [{ field: 'pressure', value: view.getUint32(at) }]]],
  [0x15, [2, nothing]], // sound
  [0x16, [2, nothing]],
  [0x17, [4, nothing]],
  [0x18, [2, nothing]],
  [0x19, [2, nothing]], // second probe
  [0x1a, [1, nothing]],
  [0x1b, [4, nothing]],
  [0x1c, [2, nothing]], // TVOC
  [0x3d, [4, nothing]], // debug
]);
const settingsType = 0x3e;

/** Ten-thousandths of a degree in three bytes each. */
function position(view: DataView, at: number): CodecField[] {
  const int24 = (from: number) => (view.getInt8(from) << 16) | view.getUint16(from + 1);
  return positionFields(int24(at), int24(at + 3), 10_000);
}

export const elsysErs: Codec = {
  name: 'elsys-ers',
  fields: [
    ...['temperature', 'humidity', 'light', 'motion', 'co2', 'battery_mv', 'latitude', 'longitude'],
    ...['probe_temperature', 'object_temperature', 'pressure'],
  ],
  decode: (fPort, bytes) => {
    if (fPort === 6) return { fields: [], note: 'told its settings' };
    if (fPort !== 5) return unknownPort(fPort);
    const view = viewOf(bytes);
    const fields: CodecField[] = [];
    let at = 0;
    while (at < bytes.length) {
      const type = view.getUint8(at);
      // Settings go on to the end.
      if (type === settingsType) break;
      const [length, read] = types.get(type) ?? [Infinity, nothing];
      if (at + 1 + length > bytes.length) {
        const note = `type 0x${type.toString(16).padStart(2, '0')} at byte ${at} cannot be read`;
        return fields.length === 0 ? note : { fields, note };
      }
      fields.push(...read(view, at + 1));
      at += 1 + length;
    }
    return bytes.length === 0 ? 'the payload is empty' : { fields };
  },
};
