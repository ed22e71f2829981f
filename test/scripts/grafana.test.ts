// The dashboards: what they ask for exists, in the metrics and in the database.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { migrate } from '../../connector/db/migrate.ts';
import { openPool, type Db } from '../../connector/db/pool.ts';
import { registerClockGauge, registerGauges } from '../../connector/start/gauges.ts';
import { createMetrics } from '../../connector/ingest/metrics.ts';
import { createOutboxMetrics } from '../../connector/outbox/metrics.ts';
import { createDatabase, type TestDatabase } from '../support/stack.ts';

interface Dashboard {
  uid: string;
  panels: { title: string; targets: { expr?: string; rawSql?: string }[] }[];
}
const read = (name: string) =>
  JSON.parse(readFileSync(`config/grafana/dashboards/${name}.json`, 'utf8')) as Dashboard;

describe('dashboards', () => {
  let database: TestDatabase;
  let db: Db;
  before(async () => {
    database = await createDatabase();
    db = openPool(database.url, 2, pino({ level: 'silent' }));
    await migrate(db, pino({ level: 'silent' }));
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  it('every metric of the pipeline dashboard is one that the connector has', async () => {
    const metrics = createMetrics(() => ({ messages: 0, bytes: 0 }));
    createOutboxMetrics(metrics.registry);
    const state = { database: { ok: true, detail: '' }, mqtt: undefined };
    registerGauges(metrics.registry, {
      db,
      queryDb: db,
      library: { refused: () => undefined },
      state,
    });
    registerClockGauge(metrics.registry, () => ({ ahead: 0, behind: 0 }));
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
    const asked = read('pipeline').panels.flatMap(({ targets }) => targets.map(({ expr = '' }) => expr));
    const names = asked.flatMap((expr) => expr.match(/\b(?:smart_dairy|nodejs|process)_\w+/g) ?? []);
    assert.ok(names.length >= asked.length);
    for (const name of names)
      assert.ok(known.has(name.replace(/_(bucket|sum|count)$/, '')) || known.has(name), name);
  });

  it('every query of the farm dashboard runs', async () => {
    for (const { title, targets } of read('farm').panels) {
      for (const { rawSql = '' } of targets) {
        const sql = rawSql.replace(/\$__timeFilter\(([^)]+)\)/g, "$1 > now() - interval '7 days'");
        await assert.doesNotReject(db.query(sql), title);
      }
    }
  });
});
