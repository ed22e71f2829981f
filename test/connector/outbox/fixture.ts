// A real database with the product's schema and an outbox to fill, and a receiver that remembers everything it was sent.
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { createLogger, type Logger } from '../../../contract/runtime/logger.ts';
import type { NamedArgs, OdooClient } from '../../../connector/odoo/transport.ts';
import { createDatabase } from '../../support/stack.ts';

export const logger: Logger = createLogger('test', process.env['LOG_LEVEL'] ?? 'silent');

export interface OutboxDatabase {
  url: string;
  db: Db;
  versions: Record<string, string>;
  close: () => Promise<void>;
}

export async function openOutboxDatabase(): Promise<OutboxDatabase> {
  const database = await createDatabase();
  const db = openPool(database.url, 8, logger);
  await migrate(db, logger);
  return {
    url: database.url,
    db,
    versions: database.versions,
    close: async () => {
      await db.end();
      await database.drop();
    },
  };
}

export interface Put {
  kind: string;
  sourceId: string;
  revision?: number;
  payload: unknown;
}

export async function put(db: Pick<Db, 'query'>, rows: readonly Put[]): Promise<void> {
  await db.query('SELECT iot.outbox_put($1, $2, $3, $4::jsonb[])', [
    rows.map(({ kind }) => kind),
    rows.map(({ sourceId }) => sourceId),
    rows.map(({ revision }) => revision ?? 1),
    rows.map(({ payload }) => JSON.stringify(payload)),
  ]);
}

/** State by source_id, for assertions. */
export async function states(db: Db): Promise<Record<string, string>> {
  const { rows } = await db.query<{ source_id: string; state: string }>(
    'SELECT source_id, state FROM iot.outbox ORDER BY id',
  );
  return Object.fromEntries(rows.map(({ source_id, state }) => [source_id, state]));
}

/** Waits until it is so. A test that waits in vain is ended by the runner's own limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}

export const allSent = (db: Db) => async (): Promise<boolean> => {
  const { rows } = await db.query(
    // Two questions that an index answers each: this is asked all the time while the worker works.
    `SELECT WHERE EXISTS (SELECT FROM iot.outbox WHERE state = 'pending')
       OR EXISTS (SELECT FROM iot.outbox WHERE state = 'parked')`,
  );
  return rows.length === 0;
};

type Wire = { source_id: string; revision: number } & Record<string, unknown>;
type Fault = (records: readonly Wire[], commit: () => unknown[]) => unknown;

/** Keeps records like the addon does: one a key, stale revisions ignored. Counts how often each was really written. */
export function createReceiver() {
  const kept = new Map<string, number>();
  const writes: { model: string; key: string; revision: number }[] = [];
  const calls: { model: string; size: number; at: number }[] = [];
  let fault: Fault = (_records, commit) => commit();

  function upsert(model: string, records: readonly Wire[]): unknown[] {
    return records.map(({ source_id, revision }) => {
      const key = `${model} ${source_id}`;
      const before = kept.get(key);
      const answer = (status: string) => ({ source_id, status, id: 1, error: false, error_type: false });
      if (before !== undefined && before >= revision)
        return answer(before === revision ? 'unchanged' : 'stale');
      kept.set(key, revision);
      writes.push({ model, key, revision });
      return answer(before === undefined ? 'created' : 'updated');
    });
  }
  const client: OdooClient = {
    async call(model: string, _method: string, args: NamedArgs) {
      const records = args['records'] as Wire[];
      calls.push({ model, size: records.length, at: Date.now() });
      return Promise.resolve(fault(records, () => upsert(model, records)));
    },
    version: () => Promise.resolve({ major: 19, text: '19.0' }),
    describe: () => 'the receiver',
  };
  return { client, kept, writes, calls, misbehave: (next: Fault) => (fault = next) };
}

export const refusal = (source_id: string, error: string, error_type: 'validation' | 'transient') => ({
  source_id,
  status: 'error',
  id: false,
  error,
  error_type,
});
