// What a codec is: a LoRaWAN device model's payloads into catalogue metrics, and commands into its downlinks. Pure.
import type { DeviceType } from '../../../contract/topics.ts';

/** One value in the catalogue's unit. */
export interface CodecPoint {
  metric: string;
  value: number;
  /** Moment of measuring by the device's clock, epoch ms; absent for what was measured just now. */
  time?: number;
  /** Or how long ago it was measured. */
  ageMs?: number;
}

/** What an uplink says; `note` is what a person should know beside it: an alarm, a part that could not be read. */
export interface CodecReading {
  points: CodecPoint[];
  note?: string;
}

export interface Downlink {
  fPort: number;
  bytes: Uint8Array;
}

/** A command that a codec can encode; `value` is in the unit that the description names. */
export interface CodecCommand {
  description: string;
  /** Range of the value; without it the command takes none. */
  range?: readonly [min: number, max: number];
  encode: (value: number) => Downlink;
}

export interface Codec {
  /** As the file is called: `<vendor>-<model>`. */
  name: string;
  deviceType: DeviceType;
  /** A device without an assigned codec gets the one whose pattern its ChirpStack device profile's name fits. */
  profileName: RegExp;
  /** Decodes an uplink; a string is the reason why it cannot be read. Never throws, whatever the bytes are. */
  decode: (fPort: number, bytes: Uint8Array) => CodecReading | string;
  commands?: Readonly<Record<string, CodecCommand>>;
}

/** Bytes for reading numbers at places that were checked to exist. */
export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Without the noise that scaling leaves: 28.29, not 28.290000000000003. */
export const scaled = (raw: number, divisor: number) => Number((raw / divisor).toPrecision(12));

/** The reason for an uplink on a port that the model does not use for readings. */
export const unknownPort = (fPort: number) => `nothing is known of fPort ${fPort}`;

/** The reason for an uplink that is too short or too long. */
export const wrongLength = (fPort: number, length: number, expected: string) =>
  `fPort ${fPort}: ${length} bytes, ${expected} expected`;

/** A position, unless it is the device's way to say that it has none. */
export function positionPoints(
  latitude: number,
  longitude: number,
  when: Partial<CodecPoint> = {},
): CodecPoint[] {
  const isPlace = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  if (!isPlace || (latitude === 0 && longitude === 0)) return [];
  return [
    { metric: 'latitude', value: latitude, ...when },
    { metric: 'longitude', value: longitude, ...when },
  ];
}
