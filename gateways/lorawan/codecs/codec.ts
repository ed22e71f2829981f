// What a codec is: a LoRaWAN payload's bytes into named fields, as raw as the device sends them. A profile says what they mean. Pure.
import type { CodecName } from '../../../contract/lorawan.ts';

/** One field of a payload, unscaled. */
export interface CodecField {
  field: string;
  value: number;
  /** Moment of measuring by the device's clock, epoch ms; absent for what was measured just now. */
  time?: number;
  /** Or how long ago it was measured. */
  ageMs?: number;
}

/** What an uplink says; `note` is what a person should know beside it: an alarm, a part that could not be read. */
export interface CodecReading {
  fields: CodecField[];
  note?: string;
}

export interface Codec {
  /** As the file is called: `<vendor>-<model>`. */
  name: CodecName;
  /** Every field that there may be. */
  fields: readonly string[];
  /** Decodes an uplink; a string is the reason why it cannot be read. Never throws, whatever the bytes are. */
  decode: (fPort: number, bytes: Uint8Array) => CodecReading | string;
}

/** Bytes for reading numbers at places that were checked to exist. */
export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** The reason for an uplink on a port that the model does not use for readings. */
export const unknownPort = (fPort: number) => `nothing is known of fPort ${fPort}`;

/** The reason for an uplink that is too short or too long. */
export const wrongLength = (fPort: number, length: number, expected: string) =>
  `fPort ${fPort}: ${length} bytes, ${expected} expected`;

/** A position, raw in parts of a degree, unless it is the device's way to say that it has none. */
export function positionFields(
  latitude: number,
  longitude: number,
  perDegree: number,
  when: Pick<CodecField, 'time' | 'ageMs'> = {},
): CodecField[] {
  const isPlace = Math.abs(latitude) <= 90 * perDegree && Math.abs(longitude) <= 180 * perDegree;
  if (!isPlace || (latitude === 0 && longitude === 0)) return [];
  return [
    { field: 'latitude', value: latitude, ...when },
    { field: 'longitude', value: longitude, ...when },
  ];
}
