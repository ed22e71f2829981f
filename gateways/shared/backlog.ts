// What waits in the spool, oldest first, without what is on its way already.
import type { Spool, StoredMessage } from './spool.ts';

export interface Backlog {
  /** The next one; undefined when all that is in the spool is on its way. Throws when the disk cannot be read. */
  peek(): StoredMessage | undefined;
  /** Takes the one that `peek` has shown. */
  shift(): void;
  /** Somebody else sends it. */
  take(id: number): void;
  /** It is to be sent from here: it was not, or not with success. */
  release(id: number): void;
  /** It has left the spool. */
  forget(id: number): void;
}

const chunkSize = 200;

/** Reads in chunks, from the oldest on. */
export function createBacklog(spool: Pick<Spool, 'read'>): Backlog {
  let chunk: StoredMessage[] = [];
  /** Ids in `chunk`, on their way, or confirmed but not yet removed. */
  const taken = new Set<number>();
  let cursor = 0;
  let isAtEnd = false;
  return {
    peek: () => {
      while (chunk.length === 0 && !isAtEnd) {
        const rows = spool.read(cursor, chunkSize);
        cursor = rows.at(-1)?.id ?? cursor;
        isAtEnd = rows.length < chunkSize;
        chunk = rows.filter(({ id }) => !taken.has(id));
        for (const { id } of chunk) taken.add(id);
      }
      return chunk[0];
    },
    shift: () => void chunk.shift(),
    take: (id) => void taken.add(id),
    release: (id) => {
      taken.delete(id);
      cursor = Math.min(cursor, id - 1);
      isAtEnd = false;
    },
    forget: (id) => void taken.delete(id),
  };
}
