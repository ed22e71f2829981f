// Our own collar: activity, rumination, lying, steps, temperature, battery, position. docs/lorawan-collar.md, bit by bit.
import { positionFields, unknownPort, viewOf, wrongLength, type Codec, type CodecField } from './codec.ts';

const reportPort = 10;
const version = 1;
const [hasPosition, hasTime] = [0x01, 0x02];
const [baseLength, positionLength, timeLength] = [10, 9, 4];
const longestIntervalMin = 120;
/** What "not measured" looks like; the profile lists them as sentinels. */
const none = { battery: 0xff, activity: 0x3ff, minutes: 0x7f } as const;

export const smartDairyCollar: Codec = {
  name: 'smart-dairy-collar',
  fields: [
    ...['battery', 'temperature', 'activity', 'rumination', 'lying', 'steps'],
    ...['latitude', 'longitude'],
  ],
  decode: (fPort, bytes) => {
    if (fPort !== reportPort) return unknownPort(fPort);
    const view = viewOf(bytes);
    const head = bytes[0] ?? 0;
    if (head >> 4 !== version) return `fPort ${fPort}: layout version ${head >> 4}, only ${version} is known`;
    if ((head & 0x0c) !== 0)
      return `fPort ${fPort}: reserved flags are set (0x${(head & 0x0c).toString(16)})`;
    const withPosition = (head & hasPosition) !== 0;
    const withTime = (head & hasTime) !== 0;
    const length = baseLength + (withPosition ? positionLength : 0) + (withTime ? timeLength : 0);
    if (bytes.length !== length) return wrongLength(fPort, bytes.length, String(length));
    const time = withTime ? { time: view.getUint32(length - timeLength) * 1000 } : {};
    const body = measured(view);
    if (typeof body === 'string') return `fPort ${fPort}: ${body}`;
    const fields = [...body, ...(withPosition ? placed(view, withTime) : [])];
    return { fields: fields.map((field) => ({ ...field, ...time })) };
  },
};

/** Bytes 1 to 9. Minutes that do not fit into their interval mean that this is no such report. */
function measured(view: DataView): CodecField[] | string {
  const interval = view.getUint8(2);
  if (interval < 1 || interval > longestIntervalMin) return `an interval of ${interval} minutes`;
  const packed = (view.getUint16(5) << 8) | view.getUint8(7);
  const [activity, rumination, lying] = [packed >> 14, (packed >> 7) & 0x7f, packed & 0x7f];
  if (activity > 1000 && activity !== none.activity) return `an activity of ${activity}, at most 1000`;
  if ([rumination, lying].some((minutes) => minutes > interval && minutes !== none.minutes))
    return `${rumination} minutes of rumination and ${lying} of lying in an interval of ${interval}`;
  const battery = view.getUint8(1);
  if (battery > 100 && battery !== none.battery) return `a battery of ${battery} %`;
  return [
    { field: 'battery', value: battery },
    { field: 'temperature', value: view.getInt16(3) },
    { field: 'activity', value: activity },
    { field: 'rumination', value: rumination },
    { field: 'lying', value: lying },
    { field: 'steps', value: view.getUint16(8) },
  ];
}

/** Latitude, longitude in ten-millionths of a degree and the age of the fix in minutes, 255 unknown. */
function placed(view: DataView, isStored: boolean): CodecField[] {
  const age = view.getUint8(18);
  const when = !isStored && age !== 0xff ? { ageMs: age * 60_000 } : {};
  return positionFields(view.getInt32(10), view.getInt32(14), 1e7, when);
}
