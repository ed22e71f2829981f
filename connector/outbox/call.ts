// One call of upsert_batch, and what follows from its answer for each record.
import { OdooError } from '../odoo/errors.ts';
import type { RecordMapping } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { readResults, settle } from './decide.ts';
import type { OutboxMetrics } from './metrics.ts';
import type { OutboxOptions } from './options.ts';
import { settled, type Settled } from './settler.ts';
import type { Item } from './supply.ts';

/** What calls need. */
export interface CallerContext {
  client: OdooClient;
  metrics: OutboxMetrics | undefined;
  options: Pick<OutboxOptions, 'waits'>;
  /** Ends running calls. */
  abort: AbortSignal;
}

/** Calls for one kind. */
export interface Caller {
  /** Sends records; none only asks whether all is well. Throws OdooError when the call fails as a whole. */
  call(items: readonly Item[]): Promise<Settled[]>;
  /** When the last call began, in epoch milliseconds; 0 before the first. */
  calledAt: () => number;
}

/** Makes a caller. */
export function createCaller(kind: string, mapping: RecordMapping, context: CallerContext): Caller {
  const { client, metrics, options, abort } = context;
  let calledAt = 0;

  async function ask(items: readonly Item[]): Promise<Settled[]> {
    const records = items.map(({ record }) => record);
    const answer =
      mapping.send === undefined
        ? await client.call(mapping.model, 'upsert_batch', { records }, abort)
        : await mapping.send(client, records, abort);
    const results = readResults(
      answer,
      items.map(({ row }) => row.sourceId),
    );
    if (results === undefined) {
      throw new OdooError(
        'misconfigured',
        'upsert_batch did not answer one result per record: update the addon smart_dairy_iot',
      );
    }
    return items.map(({ row }, index) => {
      const result = results[index];
      if (result === undefined) throw new OdooError('crash', 'readResults lost a record');
      const settlement = settle(result, row.attempts, options.waits.record, Math.random());
      return settled(row, settlement, result.status === 'error' ? undefined : result.status);
    });
  }

  return {
    async call(items) {
      const started = performance.now();
      const finish = (outcome: string) =>
        metrics?.call(kind, outcome, items.length, (performance.now() - started) / 1000);
      calledAt = Date.now();
      try {
        const done = await ask(items);
        finish('ok');
        return done;
      } catch (error) {
        finish(error instanceof OdooError ? error.reason : 'crash');
        throw error;
      }
    },
    calledAt: () => calledAt,
  };
}
