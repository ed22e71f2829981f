// Records into a model that keeps source_id in a field of its own.
import * as z from 'zod';
import type { RecordResult } from '../../outbox/decide.ts';
import { OdooError } from '../errors.ts';
import { done, refused, type BatchContext } from './batch.ts';
import { idsSchema, type Row } from './rows.ts';
import { toWriteValue } from './values.ts';

/** The model keeps source_id itself: search, then create or write. */
export async function writeByKey(
  { client, wanted, types, signal }: BatchContext,
  rows: readonly Row[],
): Promise<RecordResult[]> {
  const key = wanted.key ?? '';
  const answer = await client.call(
    wanted.model,
    'search_read',
    {
      domain: [[key, 'in', rows.map(({ sourceId }) => sourceId)]],
      fields: [key],
      context: { active_test: false },
    },
    signal,
  );
  const known = new Map(idsSchema.parse(answer).map((row) => [String(row[key]), row.id]));
  const valuesOf = ({ sourceId, values }: Row) => ({
    ...Object.fromEntries(
      [...values].map(([name, value]) => [name, toWriteValue(value, types.get(name) ?? 'char')]),
    ),
    [key]: sourceId,
  });
  const results: RecordResult[] = [];
  const attempt = async (row: Row, work: () => Promise<RecordResult>) => {
    try {
      results.push(await work());
    } catch (error) {
      if (!(error instanceof OdooError) || error.reason !== 'rejected') throw error;
      results.push(refused(row.sourceId, error.message));
    }
  };
  const create = async (list: readonly Row[]) => {
    const ids = await client.call(wanted.model, 'create', { vals_list: list.map(valuesOf) }, signal);
    return z.array(z.int()).parse(ids);
  };
  const fresh = rows.filter(({ sourceId }) => !known.has(sourceId));
  if (fresh.length > 0) {
    try {
      const ids = await create(fresh);
      results.push(...fresh.map(({ sourceId }, index) => done(sourceId, 'created', ids[index] ?? 0)));
    } catch (error) {
      if (!(error instanceof OdooError) || error.reason !== 'rejected') throw error;
      // One of them is wrong; alone each says for itself.
      for (const row of fresh)
        await attempt(row, async () => done(row.sourceId, 'created', (await create([row]))[0] ?? 0));
    }
  }
  for (const row of rows) {
    const id = known.get(row.sourceId);
    if (id === undefined) continue;
    await attempt(row, async () => {
      await client.call(wanted.model, 'write', { ids: [id], vals: valuesOf(row) }, signal);
      return done(row.sourceId, 'updated', id);
    });
  }
  return results;
}
