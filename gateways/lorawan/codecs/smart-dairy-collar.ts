// Our own collar: activity, rumination, lying, steps, temperature, battery, position. docs/lorawan-collar.md, bit by bit.
import { positionPoints, unknownPort, viewOf, wrongLength, type Codec, type CodecPoint } from './codec.ts';

const reportPort = 10;
const version = 1;
const [hasPosition, hasTime] = [0x01, 0x02];
const [baseLength, positionLength, timeLength] = [10, 9, 4];
const longestIntervalMin = 120;

export const smartDairyCollar: Codec = {
  name: 'smart-dairy-collar',
  deviceType: 'collar',
  profileName: /smart[-_ ]?dairy.*collar/i,
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
    const points = [...body, ...(withPosition ? placed(view, withTime ? time : undefined) : [])];
    return { points: points.map((point) => ({ ...point, ...time })) };
  },
  commands: {
    set_interval: {
      description: 'Minutes between two reports',
      range: [1, longestIntervalMin],
      encode: (minutes) => ({ fPort: reportPort, bytes: Uint8Array.of(0x01, minutes) }),
    },
    set_position_every: {
      description: 'A position with every so many reports; 0 for none',
      range: [0, 255],
      encode: (reports) => ({ fPort: reportPort, bytes: Uint8Array.of(0x02, reports) }),
    },
    locate: {
      description: 'Sends a position with the next report',
      encode: () => ({ fPort: reportPort, bytes: Uint8Array.of(0x03) }),
    },
  },
};

/** Bytes 1 to 9. Minutes that do not fit into their interval mean that this is no such report. */
function measured(view: DataView): CodecPoint[] | string {
  const interval = view.getUint8(2);
  if (interval < 1 || interval > longestIntervalMin) return `an interval of ${interval} minutes`;
  const packed = (view.getUint16(5) << 8) | view.getUint8(7);
  const [activity, rumination, lying] = [packed >> 14, (packed >> 7) & 0x7f, packed & 0x7f];
  if (activity > 1000 && activity !== 0x3ff) return `an activity of ${activity}, at most 1000`;
  if ([rumination, lying].some((minutes) => minutes > interval && minutes !== 0x7f))
    return `${rumination} minutes of rumination and ${lying} of lying in an interval of ${interval}`;
  const battery = view.getUint8(1);
  if (battery > 100 && battery !== 0xff) return `a battery of ${battery} %`;
  return (
    [
      ['battery', battery, 0xff, 1],
      ['body_temperature', view.getInt16(3), 0x7fff, 100],
      ['activity', activity, 0x3ff, 1],
      ['rumination', rumination, 0x7f, 1],
      ['lying', lying, 0x7f, 1],
      ['steps', view.getUint16(8), 0xffff, 1],
    ] as const
  ).flatMap(([metric, raw, none, divisor]) => (raw === none ? [] : [{ metric, value: raw / divisor }]));
}

/** Latitude, longitude in ten-millionths of a degree and the age of the fix in minutes, 255 unknown. */
function placed(view: DataView, stored: object | undefined): CodecPoint[] {
  const age = view.getUint8(18);
  const when = stored === undefined && age !== 0xff ? { ageMs: age * 60_000 } : {};
  return positionPoints(view.getInt32(10) / 1e7, view.getInt32(14) / 1e7, when);
}
