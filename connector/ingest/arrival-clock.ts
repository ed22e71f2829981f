// Gives a moment to messages that carry none: unique per device, and the same again for a redelivered message.
import { createHash } from 'node:crypto';
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import type { IncomingMessage } from '../sources/message.ts';

/** A clock that never gives a device the same millisecond twice. */
export interface ArrivalClock {
  /** The moment (epoch ms) of a message, and the stamp to remember with it. */
  stamp(message: IncomingMessage, device: string): { at: number; stamp: ArrivalStamp | undefined };
  /** Adds a stamp that another process gave, unless this one gave a later one to the same origin. */
  learn(stamp: ArrivalStamp): void;
}

/** Makes a clock that knows the stamps of earlier runs. */
export function createArrivalClock(known: Map<string, ArrivalStamp>): ArrivalClock {
  const latest = new Map<string, number>();
  return {
    stamp(message, device) {
      const { origin } = message;
      const digest = createHash('sha1')
        .update(message.topic)
        .update('\0')
        .update(message.payload)
        .digest('base64');
      const earlier = origin === undefined ? undefined : known.get(origin);
      if (message.redelivered && earlier?.digest === digest) return { at: earlier.at, stamp: undefined };
      const at = message.stampedAt ?? Math.max(message.arrivedAt, (latest.get(device) ?? 0) + 1);
      latest.set(device, at);
      if (origin === undefined) return { at, stamp: undefined };
      const stamp = { origin, digest, at };
      known.set(origin, stamp);
      return { at, stamp };
    },
    learn(stamp) {
      if ((known.get(stamp.origin)?.at ?? 0) < stamp.at) known.set(stamp.origin, stamp);
    },
  };
}
