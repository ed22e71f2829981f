// What Dragino's devices have in common: the missing probe, the battery word and the downlink commands. Pure.
import type { CodecCommand, CodecPoint, CodecReading } from './codec.ts';

/** What an unplugged temperature probe sends. */
const missingProbe = 0x7fff;

/** A signed temperature in hundredths of a degree; nothing for a missing probe. */
export function temperaturePoint(metric: string, raw: number): CodecPoint[] {
  return raw === missingProbe ? [] : [{ metric, value: raw / 100 }];
}

/** Flags and battery: bit 14 of the word is an alarm on trackers, the low 14 bits are millivolts. */
export const batteryPoint = (word: number): CodecPoint => ({
  metric: 'battery_voltage',
  value: (word & 0x3fff) / 1000,
});

/** The device status on fPort 5: model, firmware (2), band, sub-band, millivolts (2). */
export function deviceStatus(view: DataView): CodecReading | string {
  if (view.byteLength < 7) return `fPort 5: ${view.byteLength} bytes, at least 7 expected`;
  return { points: [{ metric: 'battery_voltage', value: view.getUint16(5) / 1000 }] };
}

export const draginoCommands: Readonly<Record<string, CodecCommand>> = {
  set_interval: {
    description: 'Seconds between two uplinks',
    range: [30, 0xff_ff_ff],
    encode: (seconds) => ({
      fPort: 2,
      bytes: Uint8Array.of(0x01, seconds >> 16, (seconds >> 8) & 0xff, seconds & 0xff),
    }),
  },
  reboot: {
    description: 'Restarts the device',
    encode: () => ({ fPort: 2, bytes: Uint8Array.of(0x04, 0xff) }),
  },
};
