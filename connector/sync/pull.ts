// One kind from Odoo into the database: pages after the cursor, each written together with the cursor that follows it.
import type * as z from 'zod';
import { readCursor, writeCursor } from '../db/odoo-sync.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { keptOf, pulledKinds, type PullKind } from '../db/pulled/index.ts';
import { odooIdsBeyond, removeFromOdoo, type PulledKind, type PutContext } from '../db/pulled/kind.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { readPage } from './records.ts';

/** What pulling works with. */
export interface PullContext extends PutContext {
  db: Db;
  client: OdooClient;
  /** Records per call. */
  pageSize: number;
  abort: AbortSignal;
}

/** What a pull brought. */
export interface Pulled {
  count: number;
  /** Odoo has more that it cannot show yet. */
  heldBack: boolean;
}

/** Pulls until nothing more has changed. Throws OdooError, or what the database throws. */
export async function pullKind(kind: PullKind, context: PullContext): Promise<Pulled> {
  const { db, client, logger } = context;
  const { put } = pulledKinds[kind] as PulledKind<PullKind, z.ZodType>;
  const kept = keptOf(kind);
  const start = await readCursor(db, kind);
  // A full pass keeps its place only in memory: interrupted, it begins anew, and nothing counts as gone before it has ended.
  const met: number[] = [];
  let cursor = start.fullPass ? '' : start.cursor;
  let count = 0;
  let heldBack = false;
  for (let more = true; more;) {
    context.abort.throwIfAborted();
    const answer = await client.call(
      'iot.connector',
      'pull',
      { kind, cursor, limit: context.pageSize },
      context.abort,
    );
    const page = readPage(kind, answer);
    for (const reason of page.skipped) logger.warn({ kind, reason }, 'a record of Odoo cannot be taken');
    more = page.more && page.cursor !== cursor;
    cursor = page.cursor;
    heldBack = page.heldBack;
    count += page.records.length;
    if (start.fullPass) met.push(...page.records.map(({ id }) => id));
    const ended = start.fullPass && !more;
    if (page.records.length === 0 && !ended) continue;
    await inTransaction(db, async (transaction) => {
      await put(transaction, page.records, context);
      if (ended && kept !== undefined)
        await removeFromOdoo(transaction, kept, await odooIdsBeyond(transaction, kept, met));
      if (!start.fullPass || ended)
        await writeCursor(transaction, kind, {
          cursor,
          records: start.fullPass ? count : page.records.length,
          full: ended,
        });
    });
  }
  return { count, heldBack };
}
