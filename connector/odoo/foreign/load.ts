// Records through Odoo's own import.
import * as z from 'zod';
import type { RecordResult } from '../../outbox/decide.ts';
import { OdooError, firstLine } from '../errors.ts';
import { done, refused, type BatchContext } from './batch.ts';
import type { Row } from './rows.ts';
import { externalId, toLoadCell } from './values.ts';

const loadedSchema = z.object({
  ids: z.union([z.array(z.int()), z.literal(false)]),
  messages: z.array(
    z.looseObject({
      type: z.string().optional(),
      message: z.string().default(''),
      rows: z.object({ from: z.int(), to: z.int() }).optional(),
    }),
  ),
});

/**
 * Odoo's own import, with external ids: record and id come into being in one transaction, so a repetition updates. It takes
 * all or nothing; refused rows are left out and the others sent again.
 */
export async function load(context: BatchContext, rows: readonly Row[]): Promise<RecordResult[]> {
  const { client, mapping, kind, wanted, types, signal } = context;
  const results: RecordResult[] = [];
  const names = Object.keys(wanted.fields);
  const columns = names.map((name) => (types.get(name) === 'many2one' ? `${name}/.id` : name));
  let open = rows;
  while (open.length > 0) {
    const answer = await client.call(
      wanted.model,
      'load',
      {
        fields: ['id', ...columns],
        data: open.map(({ sourceId, values }) => [
          `${mapping.module}.${externalId(kind, sourceId)}`,
          ...names.map((name) => toLoadCell(values.get(name) ?? null, types.get(name) ?? 'char')),
        ]),
        context: { tz: 'UTC', lang: 'en_US', tracking_disable: true },
      },
      signal,
    );
    const { ids, messages } = loadedSchema.parse(answer);
    if (ids !== false && ids.length === open.length) {
      results.push(...open.map(({ sourceId }, index) => done(sourceId, 'updated', ids[index] ?? 0)));
      return results;
    }
    // The import wraps a missing right like a wrong value; it is no fault of the record.
    const denied = messages.find(({ message }) => message.startsWith('You are not allowed to'));
    if (denied !== undefined)
      throw new OdooError('denied', `Odoo denied access: ${firstLine(denied.message)}`);
    const bad = new Map<number, string>();
    for (const { type, message, rows: at } of messages) {
      if (type === 'warning' || at === undefined) continue;
      for (let row = at.from; row <= at.to; row++) bad.set(row, bad.get(row) ?? message);
    }
    if (bad.size === 0)
      throw new OdooError(
        'rejected',
        `Odoo refused the import: ${messages[0]?.message ?? 'it gave no reason'}`,
      );
    for (const [index, reason] of bad) {
      const row = open[index];
      if (row !== undefined) results.push(refused(row.sourceId, reason));
    }
    open = open.filter((_row, index) => !bad.has(index));
  }
  return results;
}
