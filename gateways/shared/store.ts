// The way onto the disk: what comes within a moment shares one transaction; while the disk takes nothing it stays in memory.
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Message, Spool } from './spool.ts';

export interface Store {
  /** Resolves true when it is on the disk, false when the disk takes nothing. Never rejects. */
  add(message: Message, remember?: readonly [key: string, value: unknown]): Promise<boolean>;
  /** Puts a message first that was only in memory and has not been sent. */
  addAgain(message: Message): void;
  /** The broker has it: leaves the spool with the next commit. */
  remove(id: number): void;
  recall(key: string): unknown;
  remember(key: string, value: unknown): void;
  commit(): void;
  counts(): { pending: number; removing: number; lost: number; writeErrors: number };
  /** The last commit; nothing is written any more. */
  close(): void;
}

interface StoreEvents {
  /** They are on the disk, under these ids. */
  onStored(messages: readonly (Message & { id: number })[]): void;
  /** They are gone from the disk. */
  onRemoved(ids: readonly number[]): void;
  /** The disk takes nothing: `takeAll` hands over what waits for it, to be sent from memory. */
  onUnstored(takeAll: () => readonly Message[]): void;
}

interface Pending extends Message {
  stored: (isStored: boolean) => void;
}

const commitAt = 500;
/** Messages kept in memory while the disk takes none. */
const memoryLimit = 10_000;
const trimEveryMs = 1000;

/** Commits `commitMs` after the first change, or at once when many have come. */
export function createStore(spool: Spool, logger: Logger, commitMs: number, events: StoreEvents): Store {
  let pending: Pending[] = [];
  let removing: number[] = [];
  let memory = new Map<string, unknown>();
  let writeErrors = 0;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  let trimmedAt = 0;
  let closed = false;

  const trim = () => {
    const now = Date.now();
    if (now - trimmedAt < trimEveryMs && now >= trimmedAt) return;
    trimmedAt = now;
    const dropped = spool.trim(now);
    if (dropped > 0) logger.warn({ dropped }, 'spool too large or too old: oldest readings dropped');
  };
  const commit = () => {
    clearTimeout(timer);
    timer = undefined;
    if (closed || pending.length + removing.length + memory.size === 0) return;
    const batch = { messages: pending, delivered: removing, memory };
    let ids: number[];
    try {
      trim();
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
      logger.info({ writeErrors, lost }, 'spool written again');
      writeErrors = 0;
    }
    pending = [];
    removing = [];
    memory = new Map();
    events.onRemoved(batch.delivered);
    for (const { stored } of batch.messages) stored(true);
    events.onStored(batch.messages.map((message, index) => ({ ...message, id: ids[index] ?? 0 })));
  };
  const commitLater = bounded(logger, 'spool commit', commit);
  const keepInMemory = () => {
    timer ??= setTimeout(commitLater, 1000);
    events.onUnstored(() => {
      const messages = pending.splice(0);
      for (const { stored } of messages) stored(false);
      return messages;
    });
    const excess = pending.splice(0, Math.max(0, pending.length - memoryLimit));
    for (const { stored } of excess) stored(false);
    lost += excess.length;
  };
  const schedule = () => {
    if (pending.length >= commitAt) commit();
    else if (!closed) timer ??= setTimeout(commitLater, commitMs);
  };

  return {
    add: (message, remember) =>
      new Promise((stored) => {
        pending.push({ ...message, stored });
        if (remember !== undefined) memory.set(remember[0], remember[1]);
        schedule();
      }),
    addAgain: (message) => {
      pending.unshift({ ...message, stored: () => undefined });
      schedule();
    },
    remove: (id) => {
      removing.push(id);
      schedule();
    },
    recall: (key) => (memory.has(key) ? memory.get(key) : spool.recall(key)),
    remember: (key, value) => {
      memory.set(key, value);
      schedule();
    },
    commit,
    counts: () => ({ pending: pending.length, removing: removing.length, lost, writeErrors }),
    close: () => {
      commit();
      closed = true;
      clearTimeout(timer);
    },
  };
}
