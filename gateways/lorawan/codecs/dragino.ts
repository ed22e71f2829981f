// What Dragino's devices have in common: the battery word and the device status. Pure.
import type { CodecField, CodecReading } from './codec.ts';

/** Flags and battery: bit 14 of the word is an alarm on trackers, the low 14 bits are millivolts. */
export const batteryField = (word: number): CodecField => ({ field: 'battery_mv', value: word & 0x3fff });

/** The device status on fPort 5: model, firmware (2), band, sub-band, millivolts (2). */
export function deviceStatus(view: DataView): CodecReading | string {
  if (view.byteLength < 7) return `fPort 5: ${view.byteLength} bytes, at least 7 expected`;
  return { fields: [{ field: 'battery_mv', value: view.getUint16(5) }] };
}
