// One query for the REST API.
import { toDatabaseError, type Queryable } from './pool.ts';

/** Runs a query; a database that is away is `transient`. */
export async function rowsOf<T extends object>(
  db: Queryable,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  try {
    return (await db.query<T>(sql, [...values])).rows;
  } catch (error) {
    throw toDatabaseError(error);
  }
}
