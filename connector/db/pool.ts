// The connection pool, transactions, and the translation of PostgreSQL errors into kinds.
import { DatabaseError, Pool, types, type PoolClient, type PoolConfig, type QueryResult } from 'pg';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

export type Db = Pool;
export type { PoolClient } from 'pg';
/** Whatever can run a query. */
export type Queryable = Pick<Pool | PoolClient, 'query'>;

// Identities and counts fit into a double (2^53); strings would only hide arithmetic mistakes.
types.setTypeParser(types.builtins.INT8, Number);

// A machine that vanishes must not hold its locks for hours: the server notices within seconds; a process that is frozen in
// a transaction, within a minute.
const sessionOptions =
  '-c timezone=UTC -c synchronous_commit=on -c idle_in_transaction_session_timeout=60s ' +
  '-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3';

/** Opens a pool. Idle connections that die are replaced; pg would end the process without this handler. */
export function openPool(url: string, max: number, logger: Logger, more: PoolConfig = {}): Db {
  const pool = new Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 5_000,
    application_name: 'smart-dairy-connector',
    options: sessionOptions,
    ...more,
  });
  pool.on('error', (error) => logger.warn({ error: error.message }, 'idle database connection lost'));
  return pool;
}

/**
 * Opens a pool for queries of people; a statement is ended after `statementTimeoutMs`. With three months of readings a
 * connection takes 10 to 60 ms to plan a statement for the first time and 0.1 ms later. So plans are made once, for all
 * values (the server finds the partitions when it runs them), and connections are kept from one look at a dashboard to the next.
 */
export function openQueryPool(url: string, max: number, logger: Logger, statementTimeoutMs: number): Db {
  return openPool(url, max, logger, {
    statement_timeout: statementTimeoutMs,
    idleTimeoutMillis: 600_000,
    options: `${sessionOptions} -c plan_cache_mode=force_generic_plan`,
  });
}

/** A statement that travels with a transaction's BEGIN: a round trip less. */
export interface Opening {
  /** Text without parameters. */
  sql(): string;
  /** Throws when the number of its rows says that the transaction must not go on. */
  check(rowCount: number): void;
}

/** Runs `work` in one transaction. A connection that failed in transit is not given back to the pool. */
export function inTransaction<T>(db: Db, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return inOpenedTransaction(db, undefined, work);
}

/** The same with an opening. */
export async function inOpenedTransaction<T>(
  db: Db,
  opening: Opening | undefined,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await db.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    if (opening === undefined) await client.query('BEGIN');
    else await begin(client, opening);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // 0A000: another version has changed a table since this connection planned its statements; the next one plans anew.
    if (error instanceof DatabaseError && error.code !== '0A000')
      await client
        .query('ROLLBACK')
        .catch((reason: unknown) => (broken = new Error('rollback failed', { cause: reason })));
    else broken = new Error('transaction abandoned', { cause: error });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

async function begin(client: PoolClient, opening: Opening): Promise<void> {
  // Of several statements pg gives a list of results, which its types do not know.
  const results: unknown = await client.query(`BEGIN; ${opening.sql()}`);
  const last = (results as QueryResult[]).at(-1);
  opening.check(last?.rowCount ?? 0);
}

/** SQLSTATE of a unique violation. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23505';
}

/** Whether the server answered with this error: content does not cause one of class 42, a missing right or table does. */
export const isSqlError = (error: AppError): boolean => error.cause instanceof DatabaseError;

/**
 * Whether the data may be at fault although the error's class says that the server is, or nobody knows: limits of the program
 * and of a statement's time, errors that functions raise, internal ones. Connection, disk, memory, locks and shutdown are not.
 */
export function mayBeContent(error: AppError): boolean {
  const { cause } = error;
  if (!(cause instanceof DatabaseError) || cause.code === undefined) return false;
  return /^(54|XX|0A|P0|21|24|2F|38|39)|^(53400|57014)$/.test(cause.code);
}

/**
 * A database error as AppError: `invalid` when the data is at fault (SQLSTATE class 22, 23: a smaller batch may pass),
 * `denied` when a login or a right is missing, `bug` when our SQL is wrong or the schema is not ours, else `transient`
 * (connection, shutdown, disk full, deadlock).
 */
export function toDatabaseError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = `database: ${messageOf(error)}`;
  if (error instanceof DatabaseError && error.code !== undefined) {
    const sqlClass = error.code.slice(0, 2);
    if (sqlClass === '22' || sqlClass === '23') return new AppError('invalid', message, { cause: error });
    if (sqlClass === '28' || error.code === '42501') return new AppError('denied', message, { cause: error });
    if (sqlClass === '42') return new AppError('bug', message, { cause: error });
    return new AppError('transient', message, { cause: error });
  }
  if (error instanceof TypeError || error instanceof RangeError)
    return new AppError('bug', message, { cause: error });
  return new AppError('transient', message, { cause: error });
}
