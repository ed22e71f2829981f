// Gives a moment to messages that carry none: unique per device, and the same again for a redelivered message.
import { createHash } from 'node:crypto';
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import { remember } from '../quality/bounded.ts';
import type { Connection, IncomingMessage } from '../sources/message.ts';

/** A clock that never gives a device the same millisecond twice. */
export interface ArrivalClock {
  /** Every message passes here, in the order of arrival: stamps of its client's earlier connection move to this one. */
  heard(message: IncomingMessage): void;
  /** The moment (epoch ms) of a message, and the stamp to remember with it. */
  stamp(message: IncomingMessage, device: string): { at: number; stamp: ArrivalStamp | undefined };
  /** Adds a stamp that another process gave, unless this one gave a later one to the same origin. */
  learn(stamp: ArrivalStamp): void;
  /** Origins whose stamps serve nobody any more; the same ones again until a batch is committed. */
  voided(): readonly string[];
  /** A batch is committed and its messages are acknowledged now (epoch ms). */
  committed(stamps: readonly ArrivalStamp[], now: number): void;
}

/** A stamp, and the connection whose end it is kept for. */
interface Live {
  stamp: ArrivalStamp;
  connection: Connection | undefined;
  /** How many messages the connection had delivered by then. */
  delivered: number;
  /** When its message was acknowledged on this connection, epoch ms. */
  acknowledgedAt: number | undefined;
}

/** An acknowledgement that was written so long before the connection's last message has reached the broker. */
const acknowledgedMs = 60_000;
/** More than a client may have unacknowledged at a time (65,535); of clients that never come back no more are kept. */
const mostStamps = 100_000;

/**
 * The broker has the acknowledgement of a stamp's message, so it never sends it again, and another message may come under
 * its packet id: no more than `window` messages are unacknowledged at a time, and a connection delivers in order.
 */
function isVoid({ connection, delivered, acknowledgedAt }: Live): boolean {
  if (connection === undefined) return false;
  if (connection.window !== undefined && connection.delivered - delivered > connection.window) return true;
  return acknowledgedAt !== undefined && connection.heardAt - acknowledgedAt > acknowledgedMs;
}

/** An origin is `client:packet`. */
const clientOf = (origin: string) => origin.slice(0, origin.lastIndexOf(':'));

/** Stamps by client, so that a silent client keeps nobody else's: each client's oldest first, of the clients the one stamped longest ago. */
function createLives() {
  const clients = new Map<string, Map<string, Live>>();
  let count = 0;
  const none: ReadonlyMap<string, Live> = new Map();
  const remove = (origin: string) => {
    const client = clientOf(origin);
    const mine = clients.get(client);
    if (mine?.delete(origin) !== true) return;
    count -= 1;
    if (mine.size === 0) clients.delete(client);
  };
  return {
    add(live: Live) {
      const { origin } = live.stamp;
      const client = clientOf(origin);
      const mine = clients.get(client) ?? new Map<string, Live>();
      if (!mine.delete(origin)) count += 1;
      mine.set(origin, live);
      clients.delete(client);
      clients.set(client, mine);
    },
    delete: remove,
    get: (origin: string) => clients.get(clientOf(origin))?.get(origin),
    of: (client: string) => clients.get(client) ?? none,
    byClient: () => clients.values(),
    count: () => count,
    oldest: () => clients.values().next().value?.keys().next().value,
  };
}

/** Makes a clock that knows the stamps of earlier runs. */
export function createArrivalClock(known: ReadonlyMap<string, ArrivalStamp>): ArrivalClock {
  const latest = new Map<string, number>();
  const connections = new Map<string, Connection>();
  const lives = createLives();
  const gone = new Set<string>();
  /** Devices with the moments that their replayed messages got: those of one dead batch may have arrived together. */
  const replayed = new Map<string, true>();
  const dropVoid = (origin: string) => {
    lives.delete(origin);
    gone.add(origin);
  };
  const keep = (stamp: ArrivalStamp, connection: Connection | undefined) => {
    gone.delete(stamp.origin);
    lives.add({ stamp, connection, delivered: connection?.delivered ?? 0, acknowledgedAt: undefined });
    const oldest = lives.count() > mostStamps ? lives.oldest() : undefined;
    if (oldest !== undefined) dropVoid(oldest);
  };
  for (const stamp of known.values()) keep(stamp, undefined);

  /** A replayed message keeps the moment at which it first arrived, whatever its device has said since. */
  function ofReplay(arrivedAt: number, device: string): number {
    let at = arrivedAt;
    while (replayed.has(`${device} ${at}`)) at += 1;
    remember(replayed, `${device} ${at}`, true);
    return at;
  }

  /** What was void at the end of the former connection stays so; of the rest the broker may send again what it likes. */
  function changeConnection(connection: Connection, now: number): void {
    remember(connections, connection.client, connection);
    for (const [origin, live] of lives.of(connection.client)) {
      if (isVoid(live)) {
        dropVoid(origin);
        continue;
      }
      live.connection = connection;
      live.delivered = connection.delivered;
      // Sent again it comes at once; what does not come again was acknowledged before.
      live.acknowledgedAt = now;
    }
  }

  return {
    heard({ connection, arrivedAt }) {
      if (connection === undefined || connections.get(connection.client) === connection) return;
      changeConnection(connection, arrivedAt);
    },
    stamp(message, device) {
      if (message.deadLetterId !== undefined)
        return { at: ofReplay(message.arrivedAt, device), stamp: undefined };
      const { origin } = message;
      const digest = createHash('sha1')
        .update(message.topic)
        .update('\0')
        .update(message.payload)
        .digest('base64');
      const earlier = origin === undefined ? undefined : lives.get(origin)?.stamp;
      if (message.redelivered && earlier?.digest === digest) return { at: earlier.at, stamp: undefined };
      const at = message.stampedAt ?? Math.max(message.arrivedAt, (latest.get(device) ?? 0) + 1);
      remember(latest, device, at);
      if (origin === undefined) return { at, stamp: undefined };
      const stamp = { origin, digest, at };
      keep(stamp, message.connection);
      return { at, stamp };
    },
    learn(stamp) {
      if ((lives.get(stamp.origin)?.stamp.at ?? 0) < stamp.at) keep(stamp, undefined);
    },
    voided() {
      for (const ofClient of lives.byClient())
        for (const [origin, live] of ofClient) {
          if (!isVoid(live)) break;
          dropVoid(origin);
        }
      return [...gone];
    },
    committed(stamps, now) {
      gone.clear();
      for (const stamp of stamps) {
        const live = lives.get(stamp.origin);
        if (live?.stamp === stamp) live.acknowledgedAt = now;
      }
    },
  };
}
