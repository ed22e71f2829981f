// How far each kind has been pulled from Odoo.
import type { PullKind } from './pulled/index.ts';
import type { Queryable } from './pool.ts';

/** How far a kind has been pulled. */
export interface OdooCursor {
  cursor: string;
  /** Begin at the start; what the pass does not meet is gone. */
  fullPass: boolean;
}

/** The cursor of a kind; a kind that was never pulled begins with a full pass. */
export async function readCursor(db: Queryable, kind: PullKind): Promise<OdooCursor> {
  const { rows } = await db.query<OdooCursor>(
    `SELECT cursor, full_pass AS "fullPass" FROM iot.odoo_cursor WHERE kind = $1`,
    [kind],
  );
  return rows[0] ?? { cursor: '', fullPass: true };
}

/** Notes how far a kind has been pulled, in the transaction that wrote its records. */
export async function writeCursor(
  client: Queryable,
  kind: PullKind,
  { cursor, records, full }: { cursor: string; records: number; full: boolean },
): Promise<void> {
  await client.query(
    `INSERT INTO iot.odoo_cursor AS c (kind, cursor, full_pass, records, pulled_at, full_at)
     VALUES ($1, $2, false, $3, now(), CASE WHEN $4 THEN now() END)
     ON CONFLICT (kind) DO UPDATE SET cursor = excluded.cursor, records = c.records + excluded.records,
       pulled_at = now(), full_pass = c.full_pass AND NOT $4, full_at = coalesce(excluded.full_at, c.full_at)`,
    [kind, cursor, records, full],
  );
}

/** Lets the next pull of these kinds begin at the start. */
export async function requestFullPass(db: Queryable, kinds: readonly PullKind[]): Promise<void> {
  await db.query(
    `INSERT INTO iot.odoo_cursor (kind) SELECT * FROM unnest($1::text[])
     ON CONFLICT (kind) DO UPDATE SET full_pass = true`,
    [kinds],
  );
}

/** One line a kind for status pages. */
export async function listCursors(db: Queryable): Promise<unknown[]> {
  const { rows } = await db.query<Record<string, unknown>>(
    'SELECT kind, cursor, full_pass, records, pulled_at, full_at FROM iot.odoo_cursor ORDER BY kind',
  );
  return rows;
}
