// Store and forward: readings go to the spool first, then to the broker; live ones first, the backlog at a set rate.
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Link } from './mqtt.ts';
import type { Message, Spool, SpoolCounts, StoredMessage } from './spool.ts';

export interface OutletOptions {
  /** Readings of so long share one transaction, and so one write to the disk. */
  commitMs: number;
  /** Messages a second of the backlog; 0 is as fast as the broker takes them. */
  backlogPerS: number;
}

export interface OutletCounts extends SpoolCounts {
  acknowledged: number;
  /** Messages that are only in memory because the disk takes none. */
  unstored: number;
  writeErrors: number;
}

export interface Outlet {
  /**
   * Hands a message over; `remember` becomes durable together with it. Resolves true when it is on the disk, false when
   * the disk takes nothing (it is then kept in memory and sent all the same). Never rejects.
   */
  publish(message: Message, remember?: readonly [key: string, value: unknown]): Promise<boolean>;
  /** What was remembered, also by an earlier process. */
  recall(key: string): unknown;
  /** Remembers without a message. */
  remember(key: string, value: unknown): void;
  counts(): OutletCounts;
  /** Delivers what waits for at most `drainMs`; what is left stays in the spool. */
  close(drainMs?: number): Promise<void>;
}

interface Pending extends Message {
  stored: (isStored: boolean) => void;
}

/** Without an id it is in memory only: the disk took nothing. */
type Sendable = Pick<Message, 'topic' | 'payload'> & { id: number | undefined; at?: number };

const commitAt = 500;
/** Messages on their way to the broker without its PUBACK. */
const inFlightLimit = 100;
const liveLimit = 1000;
const backlogChunk = 200;
/** Messages kept in memory while the disk takes none. */
const memoryLimit = 10_000;
const trimEveryMs = 1000;

/** Starts to forward whenever `link` is ready. */
export function createOutlet(spool: Spool, link: Link, logger: Logger, options: OutletOptions): Outlet {
  let pending: Pending[] = [];
  let delivered: number[] = [];
  let memory = new Map<string, unknown>();
  const live: Sendable[] = [];
  let chunk: StoredMessage[] = [];
  /** Ids that are in `live` or `chunk`, on their way, or confirmed but not yet removed. */
  const taken = new Set<number>();
  let cursor = 0;
  let isBacklogEmpty = false;
  let inFlight = 0;
  let acknowledged = 0;
  let writeErrors = 0;
  let lostInMemory = 0;
  let commitTimer: NodeJS.Timeout | undefined;
  let pumpTimer: NodeJS.Timeout | undefined;
  let trimmedAt = 0;
  let budget = 1;
  let budgetAt = performance.now();
  let closed = false;
  let final: SpoolCounts | undefined;

  const rewind = (id: number) => {
    cursor = Math.min(cursor, id - 1);
    isBacklogEmpty = false;
  };

  const commit = () => {
    clearTimeout(commitTimer);
    commitTimer = undefined;
    if (closed || pending.length + delivered.length + memory.size === 0) return;
    const batch = { messages: pending, delivered, memory };
    let ids: number[];
    try {
      const now = Date.now();
      if (now - trimmedAt >= trimEveryMs || now < trimmedAt) {
        trimmedAt = now;
        const dropped = spool.trim(now);
        if (dropped > 0) logger.warn({ dropped }, 'spool too large or too old: oldest readings dropped');
      }
      ids = spool.write(batch);
    } catch (error) {
      if (writeErrors++ === 0)
        logger.error(
          { error: messageOf(error) },
          'spool not written; is the disk full? Readings stay in memory',
        );
      keepInMemory();
      return;
    }
    if (writeErrors > 0) {
      logger.info({ writeErrors, lost: lostInMemory }, 'spool written again');
      writeErrors = 0;
    }
    for (const id of delivered) taken.delete(id);
    pending = [];
    delivered = [];
    memory = new Map();
    ids.forEach((id, index) => {
      const message = batch.messages[index];
      if (message === undefined) return;
      message.stored(true);
      if (link.isReady() && live.length < liveLimit) {
        taken.add(id);
        live.push({ id, topic: message.topic, payload: message.payload });
      } else rewind(id);
    });
    pump();
  };

  const commitLater = bounded(logger, 'spool commit', commit);

  const keepInMemory = () => {
    commitTimer ??= setTimeout(commitLater, 1000);
    if (link.isReady()) {
      for (const { topic, payload, at, stored } of pending.splice(0)) {
        live.push({ id: undefined, topic, payload, at });
        stored(false);
      }
      pump();
    }
    const excess = pending.splice(0, Math.max(0, pending.length - memoryLimit));
    for (const { stored } of excess) stored(false);
    lostInMemory += excess.length;
  };

  const schedule = () => {
    if (pending.length >= commitAt) commit();
    else if (!closed) commitTimer ??= setTimeout(commitLater, options.commitMs);
  };

  /** The next message of the backlog, if its rate allows one now. */
  const nextOfBacklog = (): Sendable | undefined => {
    if (chunk.length === 0 && !isBacklogEmpty) {
      const rows = spool.read(cursor, backlogChunk);
      cursor = rows.at(-1)?.id ?? cursor;
      isBacklogEmpty = rows.length < backlogChunk;
      chunk = rows.filter(({ id }) => !taken.has(id));
      for (const { id } of chunk) taken.add(id);
    }
    if (chunk.length === 0 || !isAllowed()) return undefined;
    return chunk.shift();
  };

  const isAllowed = (): boolean => {
    if (options.backlogPerS === 0) return true;
    const now = performance.now();
    // At most a tenth of a second's worth at once.
    const most = Math.max(1, options.backlogPerS / 10);
    budget = Math.min(most, budget + ((now - budgetAt) / 1000) * options.backlogPerS);
    budgetAt = now;
    if (budget < 1) {
      pumpTimer ??= setTimeout(pumpLater, Math.max(5, ((1 - budget) / options.backlogPerS) * 1000));
      return false;
    }
    budget--;
    return true;
  };

  let isPumping = false;
  const pump = () => {
    // Settling at once, inside publish, must not recurse.
    if (isPumping || closed) return;
    isPumping = true;
    try {
      while (link.isReady() && inFlight < inFlightLimit) {
        const next = live.shift() ?? nextOfBacklog();
        if (next === undefined) {
          if (!isBacklogEmpty && chunk.length === 0) continue;
          break;
        }
        inFlight++;
        link.publish(next.topic, next.payload, (isAcknowledged) => settle(next, isAcknowledged));
      }
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'spool not read');
      pumpTimer ??= setTimeout(pumpLater, 1000);
    } finally {
      isPumping = false;
    }
  };

  const pumpLater = bounded(logger, 'spool', () => {
    pumpTimer = undefined;
    pump();
  });

  const settle = (message: Sendable, isAcknowledged: boolean) => {
    inFlight--;
    if (isAcknowledged) {
      acknowledged++;
      if (message.id !== undefined) delivered.push(message.id);
      schedule();
    } else if (message.id !== undefined) {
      taken.delete(message.id);
      rewind(message.id);
    } else {
      const { topic, payload, at = 0 } = message;
      pending.unshift({ topic, payload, at, stored: () => undefined });
      schedule();
    }
    pump();
  };

  link.onReady(pump);
  return {
    publish: (message, remember) =>
      new Promise((stored) => {
        pending.push({ ...message, stored });
        if (remember !== undefined) memory.set(remember[0], remember[1]);
        schedule();
      }),
    recall: (key) => (memory.has(key) ? memory.get(key) : spool.recall(key)),
    remember: (key, value) => {
      memory.set(key, value);
      schedule();
    },
    counts: () => {
      const { waiting, dropped, bytes } = final ?? spool.counts();
      const unstored = pending.length + live.filter(({ id }) => id === undefined).length;
      return {
        waiting: waiting + unstored - delivered.length,
        dropped: dropped + lostInMemory,
        bytes,
        acknowledged,
        unstored,
        writeErrors,
      };
    },
    close: async (drainMs = 3000) => {
      if (closed) return;
      commit();
      const deadline = performance.now() + drainMs;
      while (link.isReady() && inFlight + live.length > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      commit();
      closed = true;
      clearTimeout(commitTimer);
      clearTimeout(pumpTimer);
      final = spool.counts();
      const { waiting } = final;
      if (waiting > 0) logger.info({ waiting }, 'stopped; what the broker did not confirm is in the spool');
      spool.close();
    },
  };
}
