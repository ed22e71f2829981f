// The way to the broker: live messages first, the backlog behind them at its own rate, a limited number at a time.
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Backlog } from './backlog.ts';
import type { Link, Settlement } from './link.ts';
import { createProbing } from './probing.ts';
import { createRate, type Rate } from './rate.ts';
import type { Refusals } from './refusals.ts';
import type { Message } from './spool.ts';

/** Without an id it is in memory only: the disk took nothing. */
export type Sendable = Message & { id: number | undefined };

export interface Forwarder {
  /** Takes a message that has just come; false when it has to wait in the spool. */
  offer(message: Sendable): boolean;
  /** Sends what can be sent now. */
  pump(): void;
  /** Messages in memory only, and on their way or next to go. */
  counts(): { unstored: number; busy: number; acknowledged: number };
  close(): void;
}

interface ForwarderEvents {
  onAcknowledged(message: Sendable): void;
  /** Was in memory only and has not been sent. */
  onLeft(message: Sendable): void;
}

/** Messages on their way to the broker without its PUBACK. */
const inFlightLimit = 100;
const liveLimit = 1000;

interface Parts {
  link: Pick<Link, 'isReady' | 'publish'>;
  backlog: Backlog;
  refusals: Refusals;
  /** Messages a second of the backlog; 0 is as fast as the broker takes them. */
  backlogPerS: number;
  logger: Logger;
}

/** Sends only when `pump` is called, by others or by its own timer. */
export function createForwarder(
  { link, backlog, refusals, backlogPerS, logger }: Parts,
  events: ForwarderEvents,
): Forwarder {
  const live: Sendable[] = [];
  const rate = createRate(backlogPerS);
  let inFlight = 0;
  let acknowledged = 0;
  let timer: NodeJS.Timeout | undefined;
  let isPumping = false;
  let closed = false;

  const pumpIn = (ms: number) => {
    timer ??= setTimeout(pumpNow, ms);
  };
  const pumpNow = bounded(logger, 'spool', () => {
    timer = undefined;
    pump();
  });
  const pump = () => {
    // Settling at once, inside publish, must not recurse.
    if (isPumping || closed) return;
    isPumping = true;
    try {
      probing.probe();
      while (link.isReady() && inFlight < inFlightLimit) {
        const next = live.shift() ?? nextOf(backlog, rate, pumpIn);
        if (next === undefined) break;
        if (next.id === undefined || !refusals.isRefused(next.topic)) send(next);
        else {
          refusals.skip(next.topic, next.id);
          backlog.forget(next.id);
        }
      }
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'spool not read');
      pumpIn(1000);
    } finally {
      isPumping = false;
    }
  };
  const send = (message: Sendable) => {
    inFlight++;
    link.publish(message.topic, message.payload, (how) => {
      inFlight--;
      settle(message, how);
      pump();
    });
  };
  const settle = (message: Sendable, how: Settlement) => {
    const { topic, id } = message;
    if (how === 'acknowledged') {
      acknowledged++;
      events.onAcknowledged(message);
      const from = refusals.clear(topic);
      if (from !== undefined) backlog.rewind(from);
    } else if (id === undefined) events.onLeft(message);
    else if (how === 'unsent') {
      refusals.unsettled(topic, id);
      backlog.release(id);
    } else {
      if (!refusals.isRefused(topic))
        logger.warn({ topic, reason: how.refused }, 'the broker refuses a topic: kept, and tried again');
      refusals.refused(topic, id, performance.now());
      backlog.forget(id);
      probing.later();
    }
  };
  const probing = createProbing({
    logger,
    link,
    backlog,
    refusals,
    hasRoom: () => inFlight < inFlightLimit,
    send: (message) => send({ ...message, at: 0 }),
    wake: () => pump(),
  });
  return {
    offer: (message) => {
      const isTaken =
        link.isReady() &&
        (message.id === undefined || (live.length < liveLimit && !refusals.isRefused(message.topic)));
      if (isTaken) live.push(message);
      return isTaken;
    },
    pump,
    counts: () => ({
      unstored: live.filter(({ id }) => id === undefined).length,
      busy: inFlight + live.length,
      acknowledged,
    }),
    close: () => {
      closed = true;
      clearTimeout(timer);
      probing.close();
    },
  };
}

/** The next message of the backlog, if its rate allows one now; else `later` is told when. */
function nextOf(backlog: Backlog, rate: Rate, later: (ms: number) => void): Sendable | undefined {
  const next = backlog.peek();
  if (next === undefined) return undefined;
  const waitMs = rate();
  if (waitMs > 0) {
    later(waitMs);
    return undefined;
  }
  backlog.shift();
  return { ...next, at: 0 };
}
