// The store of store-and-forward: an SQLite file that survives kill -9, power cuts and a full disk.
import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

export interface SpoolOptions {
  file: string;
  /** Most bytes of messages on disk; beyond it the oldest are dropped and counted. */
  maxBytes: number;
  /** Older messages are dropped and counted. */
  maxAgeMs: number;
}

/** `at`: when it was read, epoch milliseconds; 0 when the clock was not to be trusted, then it has no age. */
export interface Message {
  topic: string;
  payload: string;
  at: number;
}

export type StoredMessage = Pick<Message, 'topic' | 'payload'> & { id: number };

/** Everything that becomes durable together. */
export interface SpoolBatch {
  messages: readonly Message[];
  /** Ids that the broker has confirmed. */
  delivered: readonly number[];
  /** What to remember across restarts, by key. */
  memory: ReadonlyMap<string, unknown>;
}

export interface SpoolCounts {
  waiting: number;
  /** Since the file was made: kept across restarts. */
  dropped: number;
  bytes: number;
}

export interface Spool {
  /** One transaction, durable when it returns; returns the messages' ids, ascending. Throws when the disk is full or broken. */
  write(batch: SpoolBatch): number[];
  /** At most `limit` messages with ids above `afterId`, oldest first. */
  read(afterId: number, limit: number): StoredMessage[];
  /** The oldest message of a topic, with an id from `fromId` on. */
  first(topic: string, fromId: number): StoredMessage | undefined;
  recall(key: string): unknown;
  /** Drops what is too old or too much; returns how many. */
  trim(nowMs: number): number;
  counts(): SpoolCounts;
  close(): void;
}

const dropAtOnce = 1000;
/** Above so many free pages a little is given back to the disk at each trim. */
const sparePages = 512;

const schema = `
  CREATE TABLE IF NOT EXISTS topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL, at INTEGER NOT NULL, payload TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO counter VALUES ('dropped', 0);`;

/** Opens or makes the file. A file that is damaged is put aside. Throws AppError `invalid` when there can be none at this place. */
export function openSpool(options: SpoolOptions, logger: Logger): Spool {
  const db = openDatabase(options.file, logger);
  const number = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
  const pageSize = number('PRAGMA page_size');
  // Room for the pages that a transaction needs while it frees others.
  db.exec(`PRAGMA max_page_count = ${Math.ceil(options.maxBytes / pageSize) + 4096}`);
  const insert = db.prepare('INSERT INTO message (topic, at, payload) VALUES (?, ?, ?)');
  const remove = db.prepare('DELETE FROM message WHERE id = ?');
  const select = db.prepare(
    'SELECT m.id, t.name AS topic, m.payload FROM message m JOIN topic t ON t.id = m.topic WHERE m.id > ? ORDER BY m.id LIMIT ?',
  );
  const selectFirst = db.prepare(
    `SELECT m.id, t.name AS topic, m.payload FROM message m JOIN topic t ON t.id = m.topic
     WHERE m.id >= ? AND t.name = ? ORDER BY m.id LIMIT 1`,
  );
  const remember = db.prepare(
    'INSERT INTO memory VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const recall = db.prepare('SELECT value FROM memory WHERE key = ?');
  const dropOldest = db.prepare(
    'DELETE FROM message WHERE id IN (SELECT id FROM message ORDER BY id LIMIT ?)',
  );
  const dropAged = db.prepare(
    'DELETE FROM message WHERE id IN (SELECT id FROM message ORDER BY id LIMIT ?) AND at > 0 AND at < ?',
  );
  const countDropped = db.prepare(`UPDATE counter SET value = value + ? WHERE name = 'dropped'`);
  const pageCount = db.prepare('PRAGMA page_count');
  const freeCount = db.prepare('PRAGMA freelist_count');
  let waiting = number('SELECT count(*) FROM message');
  let dropped = number(`SELECT value FROM counter WHERE name = 'dropped'`);

  const topics = new Map<string, number>();
  const topicId = createTopicIds(db, topics);
  const pages = () => Number(pageCount.get()?.['page_count'] ?? 0);
  const freePages = () => Number(freeCount.get()?.['freelist_count'] ?? 0);
  const bytes = () => (pages() - freePages()) * pageSize;
  const drop = (work: () => number): number =>
    transaction(db, topics, () => {
      const count = work();
      if (count > 0) countDropped.run(count);
      waiting -= count;
      dropped += count;
      return count;
    });

  return {
    write: ({ messages, delivered, memory }) => {
      let removed = 0;
      const ids = transaction(db, topics, () => {
        for (const id of delivered) removed += Number(remove.run(id).changes);
        for (const [key, value] of memory) remember.run(key, JSON.stringify(value));
        return messages.map(({ topic, payload, at }) =>
          Number(insert.run(topicId(topic), Math.round(at), payload).lastInsertRowid),
        );
      });
      waiting += ids.length - removed;
      return ids;
    },
    read: (afterId, limit) => select.all(afterId, limit) as unknown as StoredMessage[],
    first: (topic, fromId) => selectFirst.get(fromId, topic) as unknown as StoredMessage | undefined,
    recall: (key) => {
      const text = recall.get(key)?.['value'];
      return typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined;
    },
    trim: (nowMs) => {
      let total = 0;
      while (waiting > 0 && bytes() > options.maxBytes) {
        // A little at a time: what need not be lost is kept.
        const some = Math.min(dropAtOnce, Math.ceil(waiting / 50));
        const count = drop(() => Number(dropOldest.run(some).changes));
        if (count === 0) break;
        total += count;
      }
      for (;;) {
        const count = drop(() => Number(dropAged.run(dropAtOnce, nowMs - options.maxAgeMs).changes));
        total += count;
        if (count < dropAtOnce) break;
      }
      if (freePages() > sparePages && waiting < dropAtOnce) db.exec('PRAGMA incremental_vacuum(256)');
      return total;
    },
    counts: () => ({ waiting, dropped, bytes: bytes() }),
    close: () => db.close(),
  };
}

/** Ids of topics; those in `known` need not be looked up. */
function createTopicIds(db: DatabaseSync, known: Map<string, number>): (name: string) => number {
  const add = db.prepare('INSERT OR IGNORE INTO topic (name) VALUES (?)');
  const find = db.prepare('SELECT id FROM topic WHERE name = ?');
  return (name) => {
    let id = known.get(name);
    if (id === undefined) {
      add.run(name);
      id = Number(find.get(name)?.['id']);
      known.set(name, id);
    }
    return id;
  };
}

/** Ids of topics that a rolled back transaction gave are not `known` any more. */
function transaction<T>(db: DatabaseSync, known: Map<string, number>, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors.
    if (db.isTransaction) db.exec('ROLLBACK');
    known.clear();
    throw error;
  }
}

function openDatabase(file: string, logger: Logger): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return prepareDatabase(file);
  } catch (thrown) {
    const { errcode } = thrown as { errcode?: number };
    if (errcode === 5)
      throw new AppError('invalid', `spool ${file} is in use: does another gateway run with the same file?`, {
        cause: thrown,
      });
    // 11 malformed, 26 not a database.
    if (errcode !== 11 && errcode !== 26)
      throw new AppError(
        'invalid',
        `spool ${file} cannot be opened (${messageOf(thrown)}); choose another place`,
        {
          cause: thrown,
        },
      );
    const aside = `${file}.damaged-${Date.now()}`;
    logger.error({ file, aside, error: messageOf(thrown) }, 'spool damaged, put aside; a new one is made');
    for (const end of ['', '-wal']) {
      try {
        renameSync(file + end, aside + end);
      } catch (error) {
        logger.debug({ error: messageOf(error) }, 'nothing to put aside');
      }
    }
    return prepareDatabase(file);
  }
}

function prepareDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // One process a file, so no shared memory is needed; every commit is on the disk before it counts.
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608; ${schema}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
