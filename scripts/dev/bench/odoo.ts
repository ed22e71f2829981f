// odoo: records through the outbox into a real Odoo: new, changed, replayed; reference is one in-process create of the same rows.
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient, type Query } from '../../ops/stack/database.ts';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector } from './harness/connector.ts';
import { milking } from './harness/milkings.ts';
import { rounded } from './harness/numbers.ts';
import { benchOdoo } from './harness/odoo.ts';
import { openPublisher } from './harness/publisher.ts';

const meters = 50;
/** Everything is measured so often, and the best counts: for the product as for the reference. */
const rounds = 3;

/** Reads what a round brought to Odoo and creates the same rows again, under other keys, in one call. */
const createScript = (records: number) => `
import time
Session = env['iot.milk.session'].with_context(tracking_disable=True, active_test=False)
names = [name for name, field in Session._fields.items()
         if field.store and not getattr(field, 'automatic', False) and name != 'id' and not field.related and field.type not in ('one2many', 'many2many')
         and (not field.compute or not field.readonly)]
print('FOUND %d' % Session.search_count([]))
rows = Session.search([], limit=${records}).read(names, load='')
best = 1e9
for attempt in range(${rounds}):
    values = [{**{key: row[key] for key in names}, 'source_id': '%s/%d' % (row['source_id'], attempt)} for row in rows]
    started = time.perf_counter()
    Session.create(values)
    env.flush_all()
    env.cr.commit()
    best = min(best, time.perf_counter() - started)
    env.invalidate_all()
print('CREATED %d %f' % (len(rows), best))
`;

/** Due a day later: nothing is sent before the clock starts. */
const holdBack = `ALTER TABLE iot.outbox ALTER next_attempt_at SET DEFAULT now() + INTERVAL '1 day'`;

/** Makes records wait, changed as `set` (SQL assignments) says, and times their way into Odoo. Records a second. */
async function send(query: Query, set: string, where: string): Promise<number> {
  const waiting = await query(
    `UPDATE iot.outbox SET ${set}, state = 'pending', attempts = 0, next_attempt_at = now() WHERE ${where} RETURNING id`,
  );
  const startedAt = performance.now();
  await query(`SELECT pg_notify('iot_outbox', '')`);
  await untilSent(query);
  return waiting.length / ((performance.now() - startedAt) / 1000);
}

/** Waits until none is due. Asked of the index: counting would take time from the connector. */
async function untilSent(query: Query): Promise<void> {
  const deadline = Date.now() + 600_000;
  const due = `SELECT FROM iot.outbox WHERE kind = ANY ('{device,milk_session}') AND state = 'pending' AND next_attempt_at <= now() LIMIT 1`;
  while ((await query(due)).length > 0) {
    if (Date.now() > deadline) throw new Error('records still wait after ten minutes');
    await sleep(20);
  }
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const odoo = await benchOdoo(context);
  const connector = await startBenchConnector(context, { odoo });
  try {
    const perRound = context.quick ? 5_000 : 30_000;
    const records = rounds * perRound;
    context.report(`${records} milkings wait in the outbox`);
    await withClient(connector.databaseUrl, (query) => query(holdBack));
    const publisher = await openPublisher(context.env, 'bench-odoo');
    let count = 0;
    const startAt = Date.now() - records * 100;
    const next = () => {
      count += 1;
      return milking(count % meters, `b${String(count).padStart(6, '0')}`, startAt + count * 100);
    };
    await publisher.publish(records, next);
    await connector.committed(records);
    publisher.close();

    const [created, changed, replayed] = await withClient(connector.databaseUrl, async (query) => {
      // Devices are in Odoo before the first milking, as on a farm.
      await send(query, 'leased_until = NULL', `kind = 'device'`);
      const eachRound = async (what: string, set: string) => {
        context.report(`${what} records, ${rounds} times ${perRound}`);
        const rates: number[] = [];
        for (let round = 0; round < rounds; round++)
          rates.push(
            await send(
              query,
              set,
              `kind = 'milk_session' AND right(source_id, 6)::int % ${rounds} = ${round}`,
            ),
          );
        return Math.max(...rates);
      };
      return [
        await eachRound('new', 'leased_until = NULL'),
        await eachRound(
          'changed',
          `revision = revision + 1, payload = jsonb_set(payload, '{yield_kg}', '12.5')`,
        ),
        await eachRound('replayed', 'leased_until = NULL'),
      ] as const;
    });
    const rss = connector.peakRssMb();
    await connector.stop();
    context.report('reference: the same rows in one create in the shell of Odoo');
    const output = await odoo.shell(createScript(perRound));
    const [, found = 'no'] = /FOUND (\d+)/.exec(output) ?? [];
    if (Number(found) !== records)
      throw new Error(`Odoo has ${found} of ${records} milkings: ${output.slice(-500)}`);
    const [, rows = '', seconds = ''] = /CREATED (\d+) ([\d.]+)/.exec(output) ?? [];
    const reference = Number(rows) / Number(seconds);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      records_per_s: rounded(created),
      changed_records_per_s: rounded(changed),
      replay_records_per_s: rounded(replayed),
      create_records_per_s: rounded(reference),
      ratio: rounded(created / reference, 3),
      replay_ratio: rounded(replayed / reference, 3),
      rss_mb: rounded(rss),
    };
  } finally {
    await connector.drop();
    await odoo.drop();
  }
}
