// A message of a batch after decoding: what will be written for it.
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import { deviceKey } from '../db/dimensions.ts';
import type { Decoded } from '../decode/message.ts';
import type { ClockWatch } from '../quality/clock.ts';
import type { QualityWatch } from '../quality/watch.ts';
import type { ArrivalClock } from './arrival-clock.ts';
import type { IncomingMessage } from '../sources/message.ts';

/** A decoded message with its times filled in. */
export interface Item {
  message: IncomingMessage;
  decoded: Decoded;
  stamp: ArrivalStamp | undefined;
}

/** What is remembered between messages while their items are made. */
export interface Arrivals {
  clock: ArrivalClock;
  watch: QualityWatch;
  /** Of the devices, not ours. */
  clocks: ClockWatch;
}

/**
 * Fills in the moment of arrival where a data message carries no time, and marks values that cannot be right.
 * Done once a message, in the order of arrival, however often its batch is tried.
 */
export function toItem(message: IncomingMessage, decoded: Decoded, { clock, watch, clocks }: Arrivals): Item {
  clock.heard(message);
  if (decoded.kind !== 'data') return { message, decoded, stamp: undefined };
  const device = deviceKey(decoded.address.farm, decoded.address.deviceUid);
  if (decoded.data.at !== undefined) {
    clocks.check(device, message.arrivedAt, decoded.data);
    watch.mark(device, decoded.data.points);
    return { message, decoded, stamp: undefined };
  }
  // When it was said nobody knows, and it may have been counted long ago.
  if (message.retained === true) return { message, decoded: { kind: 'ignored' }, stamp: undefined };
  const { at, stamp } = clock.stamp(message, device);
  const points = decoded.data.points.map(({ ageMs = 0, ...point }) => ({
    ...point,
    time: Number.isNaN(point.time) ? at - ageMs : point.time,
  }));
  if (decoded.data.saidAt !== undefined) clocks.check(device, message.arrivedAt, decoded.data);
  watch.mark(device, points);
  return { message, decoded: { ...decoded, data: { ...decoded.data, at, points } }, stamp };
}

/** The first field of each device (by its key) that could not be read. */
export function unreadOf(items: readonly Item[]): ReadonlyMap<string, string> {
  const unread = new Map<string, string>();
  for (const { decoded } of items) {
    const [first] = decoded.kind === 'data' ? (decoded.data.unread ?? []) : [];
    if (decoded.kind === 'data' && first !== undefined)
      unread.set(deviceKey(decoded.address.farm, decoded.address.deviceUid), first);
  }
  return unread;
}
