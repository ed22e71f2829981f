// Abeeway Micro, Compact and Industrial trackers: position, battery, temperature. Reference guide, "Uplink messages".
import {
  positionFields,
  viewOf,
  wrongLength,
  type Codec,
  type CodecField,
  type CodecReading,
} from './codec.ts';

const headerLength = 5;
const messages = { pending: 0x00, position: 0x03, event: 0x0a } as const;
/** Messages that say nothing beyond their header: energy, heartbeat, activity or configuration, shutdown, collection. */
const headerOnly: readonly number[] = [0x04, 0x05, 0x07, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11];
const gpsFix = 0;

/** Tenths of a degree: a byte stretches over −44 to 85 °C. */
const temperatureOf = (byte: number) => Math.round((-44 + (byte * 129) / 255) * 10);

/** Header: type, status, battery, temperature, and kind of position in the low half of byte 4. */
const decoder =
  (batteryOf: (byte: number) => CodecReading): Codec['decode'] =>
  (fPort, bytes) => {
    if (bytes.length === 0) return wrongLength(fPort, 0, 'at least 5');
    const view = viewOf(bytes);
    const type = view.getUint8(0);
    if (type === messages.pending) return { fields: [], note: 'has more to say at the next downlink' };
    if (type !== messages.position && type !== messages.event && !headerOnly.includes(type))
      return `fPort ${fPort}: nothing is known of message type 0x${type.toString(16).padStart(2, '0')}`;
    if (bytes.length < headerLength) return wrongLength(fPort, bytes.length, 'at least 5');
    const battery = batteryOf(view.getUint8(2));
    const sos = (view.getUint8(1) & 0x10) !== 0;
    const note = sos ? 'alarm: SOS was pressed' : battery.note;
    const place = type === messages.position && (view.getUint8(4) & 0x0f) === gpsFix ? gps(view) : [];
    if (place === undefined) return wrongLength(fPort, bytes.length, 'at least 13 for a GPS position');
    return {
      fields: [...battery.fields, { field: 'temperature', value: temperatureOf(view.getUint8(3)) }, ...place],
      ...(note === undefined ? {} : { note }),
    };
  };

/** Age in steps of 8 s, then the upper three bytes of latitude and longitude in ten-millionths of a degree. */
function gps(view: DataView): CodecField[] | undefined {
  if (view.byteLength < 13) return undefined;
  const upper = (at: number) => (view.getUint8(at) << 24) | (view.getUint16(at + 1) << 8);
  return positionFields(upper(6), upper(9), 1e7, { ageMs: view.getUint8(5) * 8000 });
}

/** Firmware 2: the battery byte is percent; 0 while it is charged, 255 unknown. */
export const abeewayTracker: Codec = {
  name: 'abeeway-tracker',
  fields: ['battery', 'temperature', 'latitude', 'longitude'],
  decode: decoder((byte) => {
    if (byte >= 1 && byte <= 100) return { fields: [{ field: 'battery', value: byte }] };
    if (byte === 0 || byte === 255) return { fields: [] };
    return {
      fields: [],
      note: `battery byte ${byte} is no percentage: firmware 1 wants profile abeeway-tracker-v1`,
    };
  }),
};

/** Firmware 1: the battery byte is a voltage from 2.8 to 4.2 V, with one reserved code at each end. */
export const abeewayTrackerV1: Codec = {
  name: 'abeeway-tracker-v1',
  fields: ['battery_mv', 'temperature', 'latitude', 'longitude'],
  decode: decoder((byte) => {
    if (byte === 0 || byte === 255) return { fields: [] };
    return { fields: [{ field: 'battery_mv', value: Math.round(2800 + ((byte - 1) * 1400) / 253) }] };
  }),
};
