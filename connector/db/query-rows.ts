// One query for the REST API.
import { toDatabaseError, type Queryable } from './pool.ts';

/** Runs a query; a database that is away is `transient`. With a name it is planned once a connection: the views' plans cost 4 ms, their rows 1. */
export async function rowsOf<T extends object>(
  db: Queryable,
  sql: string,
  values: readonly unknown[] = [],
  name?: string,
): Promise<T[]> {
  try {
    return (await db.query<T>({ text: sql, values: [...values], ...(name === undefined ? {} : { name }) }))
      .rows;
  } catch (error) {
    throw toDatabaseError(error);
  }
}
