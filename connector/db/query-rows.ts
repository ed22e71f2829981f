// One query for the REST API.
import { toDatabaseError, type Queryable } from './pool.ts';

/** Runs a query; a database that is away is `transient`. `name` stands for its text: a connection plans it once. */
export async function rowsOf<T extends object>(
  db: Queryable,
  name: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  try {
    return (await db.query<T>({ name, text, values: [...values] })).rows;
  } catch (error) {
    throw toDatabaseError(error);
  }
}
