// Dragino TrackerD: position, temperature and humidity, alarm button. User manual, "Payload".
import { positionFields, unknownPort, viewOf, wrongLength, type Codec, type CodecReading } from './codec.ts';
import { batteryField } from './dragino.ts';

/** Where an uplink of a port has its battery word, and how long it is at least. */
const layouts: Readonly<
  Record<number, { length: number; battery: number; position: boolean; climate?: number }>
> = {
  2: { length: 15, battery: 8, position: true, climate: 11 },
  3: { length: 11, battery: 8, position: true },
  6: { length: 27, battery: 24, position: false, climate: 27 },
  7: { length: 3, battery: 0, position: false },
  8: { length: 10, battery: 7, position: false },
};

export const draginoTrackerd: Codec = {
  name: 'dragino-trackerd',
  fields: ['battery_mv', 'temperature', 'humidity', 'latitude', 'longitude'],
  decode: (fPort, bytes) => {
    const view = viewOf(bytes);
    if (fPort === 4) return stored(view);
    if (fPort === 5)
      return bytes.length < 7
        ? wrongLength(fPort, bytes.length, 'at least 7')
        : { fields: [{ field: 'battery_mv', value: view.getUint16(5) }] };
    const layout = Object.hasOwn(layouts, fPort) ? layouts[fPort] : undefined;
    if (layout === undefined) return unknownPort(fPort);
    if (bytes.length < layout.length) return wrongLength(fPort, bytes.length, `at least ${layout.length}`);
    const battery = view.getUint16(layout.battery);
    const { climate } = layout;
    return {
      fields: [
        ...(layout.position ? place(view) : []),
        batteryField(battery),
        ...(climate === undefined || bytes.length < climate + 4 ? [] : climateFields(view, climate)),
      ],
      ...((battery & 0x4000) === 0 ? {} : { note: 'alarm: the button was pressed' }),
    };
  },
};

/** Latitude and longitude in millionths of a degree; 0, 0 without a fix. */
const place = (view: DataView, when = {}) => positionFields(view.getInt32(0), view.getInt32(4), 1e6, when);

const climateFields = (view: DataView, at: number) => [
  { field: 'humidity', value: view.getUint16(at) },
  { field: 'temperature', value: view.getInt16(at + 2) },
];

/** fPort 4: a position with its moment in UTC: year (2), month, day, hour, minute, second. */
function stored(view: DataView): CodecReading | string {
  if (view.byteLength < 15) return wrongLength(4, view.byteLength, 'at least 15');
  const two = (at: number) => String(view.getUint8(at)).padStart(2, '0');
  const text = `${view.getUint16(8)}-${two(10)}-${two(11)}T${two(12)}:${two(13)}:${two(14)}.000Z`;
  const time = Date.parse(text);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text || time < 0)
    return 'fPort 4: the date is none';
  return { fields: place(view, { time }) };
}
