// A message of a batch after decoding: what will be written for it.
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import type { Decoded } from '../decode/message.ts';
import type { ArrivalClock } from './arrival-clock.ts';
import type { IncomingMessage } from './message.ts';

/** A decoded message with its times filled in. */
export interface Item {
  message: IncomingMessage;
  decoded: Decoded;
  stamp: ArrivalStamp | undefined;
}

/** Fills in the moment of arrival where a data message carries no time. Done once a message, however often its batch is tried. */
export function toItem(message: IncomingMessage, decoded: Decoded, clock: ArrivalClock): Item {
  if (decoded.kind !== 'data' || decoded.data.at !== undefined) return { message, decoded, stamp: undefined };
  const { at, stamp } = clock.stamp(message, `${decoded.address.farm}/${decoded.address.deviceUid}`);
  const points = decoded.data.points.map((point) => ({ ...point, time: at }));
  return { message, decoded: { ...decoded, data: { ...decoded.data, at, points } }, stamp };
}
