// Watches each device's clock: how far it is off, and values whose time cannot be, because it has not come yet.
import { quality } from '../../contract/envelope.ts';
import type { DecodedData } from '../decode/decoded.ts';
import { remember } from './bounded.ts';

/** What is known of the devices' clocks. An offset is arrival minus device time in seconds: below 0 the clock is ahead. */
export interface ClockWatch {
  /** Looks at a data message that says a time, and marks values from the future. */
  check(device: string, arrivedAt: number, data: DecodedData): void;
  /** Offsets that have changed since the last call, by device. */
  takeOffsets(): ReadonlyMap<string, number>;
  /** How many devices are off by more than the tolerance. Behind can also mean that their data comes late. */
  counts(): { ahead: number; behind: number };
}

interface Device {
  /** The second (of arrival) that is being looked at, and the least delay in it. */
  second: number;
  least: number;
  /** The least delays of the last seconds with messages, ms. */
  last: number[];
  offsetMs: number | undefined;
  told: number | undefined;
}

/**
 * Of each second only the least delay counts, and of these the median: stored messages that come along with live ones, a
 * slow moment of the network and a single odd time change nothing.
 */
const seconds = 9;
const leastSeconds = 3;
/** A change that is worth telling. */
const noticeableMs = 500;

/** Makes a watch. `toleranceMs`: a clock may be so far off. Its memory starts empty. */
export function createClockWatch(toleranceMs: number): ClockWatch {
  const devices = new Map<string, Device>();
  return {
    check(name, arrivedAt, { at, saidAt, points, session }) {
      let newest = saidAt ?? at ?? -Infinity;
      for (const point of points) {
        if (point.time > newest) newest = point.time;
        // The values of a milking are what was milked, whenever it was.
        if (point.time > arrivedAt + toleranceMs && session === undefined && point.quality === quality.good)
          point.quality = quality.clockUnsynchronised;
      }
      if (newest === -Infinity) return;
      const second = Math.floor(arrivedAt / 1_000);
      const delay = arrivedAt - newest;
      const device = devices.get(name);
      if (device === undefined)
        remember(devices, name, { second, least: delay, last: [], offsetMs: undefined, told: undefined });
      else if (device.second === second) device.least = Math.min(device.least, delay);
      else {
        device.last = [...device.last.slice(1 - seconds), device.least];
        if (device.last.length >= leastSeconds) device.offsetMs = median(device.last);
        device.second = second;
        device.least = delay;
      }
    },
    takeOffsets() {
      const changed = new Map<string, number>();
      for (const [name, device] of devices) {
        const { offsetMs, told } = device;
        if (offsetMs === undefined || (told !== undefined && Math.abs(offsetMs - told) < noticeableMs))
          continue;
        device.told = offsetMs;
        changed.set(name, offsetMs / 1_000);
      }
      return changed;
    },
    counts() {
      const counts = { ahead: 0, behind: 0 };
      for (const { offsetMs = 0 } of devices.values()) {
        if (offsetMs < -toleranceMs) counts.ahead += 1;
        if (offsetMs > toleranceMs) counts.behind += 1;
      }
      return counts;
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
