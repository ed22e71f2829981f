// odoo: records through the outbox into a real Odoo: new, changed, replayed; reference is one in-process create of the same rows.
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../stack/database.ts';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { milking } from './harness/milkings.ts';
import { rounded } from './harness/numbers.ts';
import { benchOdoo } from './harness/odoo.ts';
import { openPublisher } from './harness/publisher.ts';

const meters = 50;

/** Reads what the connector brought to Odoo and creates the same rows again, under other keys, in one call. Best of three. */
const createScript = `
import time
Session = env['iot.milk.session'].with_context(tracking_disable=True, active_test=False)
names = [name for name, field in Session._fields.items()
         if field.store and not getattr(field, 'automatic', False) and name != 'id' and not field.related and field.type not in ('one2many', 'many2many')
         and (not field.compute or not field.readonly)]
rows = Session.search([]).read(names, load='')
best = 1e9
for attempt in range(3):
    values = [{**{key: row[key] for key in names}, 'source_id': '%s/%d' % (row['source_id'], attempt)} for row in rows]
    started = time.perf_counter()
    Session.create(values)
    env.flush_all()
    env.cr.commit()
    best = min(best, time.perf_counter() - started)
    env.invalidate_all()
print('CREATED %d %f' % (len(rows), best))
`;

/** New records wait until the clock starts. */
const holdBack = `ALTER TABLE iot.outbox ALTER next_attempt_at SET DEFAULT now() + INTERVAL '1 day'`;

/** Puts all milkings into the outbox again as `change` (SQL assignments) says, and times the way to Odoo. */
async function send(connector: BenchConnector, records: number, change: string): Promise<number> {
  const before = (await connector.status()).odoo_sent;
  let startedAt = 0;
  await withClient(connector.databaseUrl, async (query) => {
    await query(`UPDATE iot.outbox SET ${change}, state = 'pending', attempts = 0, next_attempt_at = now()
                 WHERE kind = 'milk_session'`);
    startedAt = performance.now();
    await query(`SELECT pg_notify('iot_outbox', '')`);
  });
  await untilSent(connector, before + records);
  return records / ((performance.now() - startedAt) / 1000);
}

async function untilSent(connector: BenchConnector, count: number): Promise<void> {
  let last = -1;
  let movedAt = Date.now();
  for (;;) {
    const { odoo_sent: sent } = await connector.status();
    if (sent >= count) return;
    if (sent !== last) movedAt = Date.now();
    last = sent;
    if (Date.now() - movedAt > 60_000) throw new Error(`${sent} of ${count} records sent, and nothing moves`);
    // Asking counts the waiting records: not too often.
    await sleep(100);
  }
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const odoo = await benchOdoo(context);
  const connector = await startBenchConnector(context, { odoo });
  try {
    const records = context.quick ? 5_000 : 30_000;
    context.report(`${records} milkings wait in the outbox`);
    await withClient(connector.databaseUrl, (query) => query(holdBack));
    const publisher = await openPublisher(context.env, 'bench-odoo');
    let count = 0;
    const startAt = Date.now() - records * 100;
    const next = () => {
      count += 1;
      return milking(count % meters, `b${count}`, startAt + count * 100);
    };
    await publisher.publish(records, next);
    await connector.committed(records);
    publisher.close();

    // Devices are in Odoo before the first milking, as on a farm.
    await withClient(connector.databaseUrl, async (query) => {
      await query(`UPDATE iot.outbox SET next_attempt_at = now() WHERE kind = 'device'`);
      await query(`SELECT pg_notify('iot_outbox', '')`);
    });
    await untilSent(connector, meters);
    context.report('new records');
    const created = await send(connector, records, 'leased_until = NULL');
    context.report('changed records');
    const changed = await send(
      connector,
      records,
      `leased_until = NULL, revision = revision + 1, payload = jsonb_set(payload, '{yield_kg}', '12.5')`,
    );
    context.report('replayed records');
    const replayed = await send(connector, records, 'leased_until = NULL');
    const rss = connector.peakRssMb();
    await connector.stop();
    context.report('reference: the same rows in one create in the shell of Odoo');
    const output = await odoo.shell(createScript);
    const [, rows = '', seconds = ''] = /CREATED (\d+) ([\d.]+)/.exec(output) ?? [];
    if (Number(rows) < records)
      throw new Error(`Odoo has ${rows || 'no'} of ${records} milkings: ${output.slice(-500)}`);
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
