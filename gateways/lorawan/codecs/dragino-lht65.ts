// Dragino LHT65 and LHT65N: temperature and humidity, and what is plugged in. User manual, "Payload".
import { unknownPort, viewOf, wrongLength, type Codec, type CodecField, type CodecReading } from './codec.ts';
import { batteryField, deviceStatus } from './dragino.ts';

const recordLength = 11;

export const draginoLht65: Codec = {
  name: 'dragino-lht65',
  fields: ['battery_mv', 'temperature', 'humidity', 'probe_temperature', 'illuminance'],
  decode: (fPort, bytes) => {
    const view = viewOf(bytes);
    if (fPort === 5) return deviceStatus(view);
    if (fPort !== 2) return unknownPort(fPort);
    if (bytes.length < recordLength || bytes.length % recordLength !== 0)
      return wrongLength(fPort, bytes.length, 'a multiple of 11');
    const isPolled = (view.getUint8(6) & 0x40) !== 0;
    return isPolled || bytes.length > recordLength ? datalog(view) : live(view);
  },
};

/** Bytes 0-1 battery, 2-3 temperature, 4-5 humidity, 6 what is plugged in, 7-10 its value. */
function live(view: DataView): CodecReading {
  const kind = view.getUint8(6) & 0x0f;
  // Kind 9 puts the probe where the battery was; kind 15 tells the probe's serial number in the temperature's place.
  const first =
    kind === 9 ? { field: 'probe_temperature', value: view.getInt16(0) } : batteryField(view.getUint16(0));
  const unplugged = (view.getUint8(6) & 0x80) !== 0;
  return {
    fields: [first, ...(kind === 15 ? [] : climate(view, 0)), ...(unplugged ? [] : plugged(view, kind))],
    ...(unplugged ? { note: 'the external sensor is not connected' } : {}),
  };
}

/** Humidity shares its word with two bits of battery state. */
const climate = (view: DataView, at: number): CodecField[] => [
  { field: 'temperature', value: view.getInt16(at + 2) },
  { field: 'humidity', value: view.getUint16(at + 4) & 0x0fff },
];

function plugged(view: DataView, kind: number): CodecField[] {
  if (kind === 1 || kind === 2) return [{ field: 'probe_temperature', value: view.getInt16(7) }];
  return kind === 5 ? [{ field: 'illuminance', value: view.getUint16(7) }] : [];
}

/** Stored records that were asked for: probe, temperature, humidity, kind, time. */
function datalog(view: DataView): CodecReading {
  const fields: CodecField[] = [];
  for (let at = 0; at + recordLength <= view.byteLength; at += recordLength) {
    const time = view.getUint32(at + 7) * 1000;
    const kind = view.getUint8(at + 6) & 0x0f;
    const probe = [1, 2, 9].includes(kind) ? [{ field: 'probe_temperature', value: view.getInt16(at) }] : [];
    fields.push(...[...probe, ...climate(view, at)].map((field) => ({ ...field, time })));
  }
  return { fields };
}
