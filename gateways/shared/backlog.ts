// What waits in the spool, oldest first, without what is on its way already.
import type { Spool, StoredMessage } from './spool.ts';

export interface Backlog {
  /** The oldest one of a topic from an id on, unless it is on its way. */
  first(topic: string, fromId: number): StoredMessage | 'under way' | undefined;
  /** The next one; undefined when all that is in the spool is on its way. Throws when the disk cannot be read. */
  peek(): StoredMessage | undefined;
  /** Takes the one that `peek` has shown. */
  shift(): void;
  /** Somebody else sends it. */
  take(id: number): void;
  /** It is to be sent from here: it was not, or not with success. */
  release(id: number): void;
  /** Reads again from this id on; what is on its way stays so. */
  rewind(id: number): void;
  /** It has left the spool, or waits there for other reasons than its turn. */
  forget(id: number): void;
}

const chunkSize = 200;

/** Reads in chunks, from the oldest on; leaves out what `skip` wants to be left. */
export function createBacklog(
  spool: Pick<Spool, 'read' | 'first'>,
  skip: (message: StoredMessage) => boolean,
): Backlog {
  let chunk: StoredMessage[] = [];
  /** Ids in `chunk`, on their way, or confirmed but not yet removed. */
  const taken = new Set<number>();
  let cursor = 0;
  let isAtEnd = false;
  const rewind = (id: number) => {
    cursor = Math.min(cursor, id - 1);
    isAtEnd = false;
  };
  return {
    first: (topic, fromId) => {
      const found = spool.first(topic, fromId);
      return found !== undefined && taken.has(found.id) ? 'under way' : found;
    },
    peek: () => {
      while (chunk.length === 0 && !isAtEnd) {
        const rows = spool.read(cursor, chunkSize);
        cursor = rows.at(-1)?.id ?? cursor;
        isAtEnd = rows.length < chunkSize;
        chunk = rows.filter((row) => !taken.has(row.id) && !skip(row));
        for (const { id } of chunk) taken.add(id);
      }
      return chunk[0];
    },
    shift: () => void chunk.shift(),
    take: (id) => void taken.add(id),
    release: (id) => {
      taken.delete(id);
      rewind(id);
    },
    rewind,
    forget: (id) => void taken.delete(id),
  };
}
