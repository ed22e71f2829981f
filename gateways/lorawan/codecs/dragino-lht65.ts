// Dragino LHT65 and LHT65N: temperature and humidity, and what is plugged in. User manual, "Payload".
import { unknownPort, viewOf, wrongLength, type Codec, type CodecPoint, type CodecReading } from './codec.ts';
import { batteryPoint, deviceStatus, draginoCommands, temperaturePoint } from './dragino.ts';

const recordLength = 11;

export const draginoLht65: Codec = {
  name: 'dragino-lht65',
  deviceType: 'temperature',
  profileName: /lht[-_ ]?65/i,
  decode: (fPort, bytes) => {
    const view = viewOf(bytes);
    if (fPort === 5) return deviceStatus(view);
    if (fPort !== 2) return unknownPort(fPort);
    if (bytes.length < recordLength || bytes.length % recordLength !== 0)
      return wrongLength(fPort, bytes.length, 'a multiple of 11');
    const isPolled = (view.getUint8(6) & 0x40) !== 0;
    return isPolled || bytes.length > recordLength ? datalog(view) : live(view);
  },
  commands: draginoCommands,
};

/** Bytes 0-1 battery, 2-3 temperature, 4-5 humidity, 6 what is plugged in, 7-10 its value. */
function live(view: DataView): CodecReading {
  const kind = view.getUint8(6) & 0x0f;
  // Kind 9 puts the probe where the battery was; kind 15 tells the probe's serial number in the temperature's place.
  const first =
    kind === 9
      ? temperaturePoint('external_temperature', view.getInt16(0))
      : [batteryPoint(view.getUint16(0))];
  const unplugged = (view.getUint8(6) & 0x80) !== 0;
  return {
    points: [...first, ...(kind === 15 ? [] : climate(view, 0)), ...(unplugged ? [] : plugged(view, kind))],
    ...(unplugged ? { note: 'the external sensor is not connected' } : {}),
  };
}

/** Humidity shares its word with two bits of battery state. */
const climate = (view: DataView, at: number): CodecPoint[] => [
  ...temperaturePoint('temperature', view.getInt16(at + 2)),
  { metric: 'humidity', value: (view.getUint16(at + 4) & 0x0fff) / 10 },
];

function plugged(view: DataView, kind: number): CodecPoint[] {
  if (kind === 1 || kind === 2) return temperaturePoint('external_temperature', view.getInt16(7));
  return kind === 5 ? [{ metric: 'illuminance', value: view.getUint16(7) }] : [];
}

/** Stored records that were asked for: probe, temperature, humidity, kind, time. */
function datalog(view: DataView): CodecReading {
  const points: CodecPoint[] = [];
  for (let at = 0; at + recordLength <= view.byteLength; at += recordLength) {
    const time = view.getUint32(at + 7) * 1000;
    const kind = view.getUint8(at + 6) & 0x0f;
    const probe = [1, 2, 9].includes(kind) ? temperaturePoint('external_temperature', view.getInt16(at)) : [];
    points.push(...[...probe, ...climate(view, at)].map((point) => ({ ...point, time })));
  }
  return { points };
}
