// Which Odoo database this connector belongs to.
import type { Queryable } from './pool.ts';

/** The database that the connector belongs to; undefined before the first contact. */
export async function boundDatabase(db: Queryable): Promise<string | undefined> {
  const { rows } = await db.query<{ database_uuid: string }>('SELECT database_uuid FROM iot.odoo_binding');
  return rows[0]?.database_uuid;
}

/** Lets the connector belong to `database` unless it belongs to one already; answers the one that it belongs to. */
export async function bindDatabase(db: Queryable, database: string): Promise<string> {
  await db.query('INSERT INTO iot.odoo_binding (database_uuid) VALUES ($1) ON CONFLICT DO NOTHING', [
    database,
  ]);
  return (await boundDatabase(db)) ?? database;
}

/** Lets the connector belong to none: the next database that ODOO_URL and ODOO_DB lead to is the one. */
export async function unbindDatabase(db: Queryable): Promise<void> {
  await db.query('DELETE FROM iot.odoo_binding');
}
