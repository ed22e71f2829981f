// odoo-sync: milkings into Odoo while somebody works in its lists; a whole herd the other way, and single edits.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import type { OdooClient } from '../../../connector/odoo/transport.ts';
import { withClient } from '../../ops/stack/database.ts';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { watchLockWaits } from './harness/lock-waits.ts';
import { milking } from './harness/milkings.ts';
import { rounded } from './harness/numbers.ts';
import { benchOdoo, type BenchOdoo } from './harness/odoo.ts';
import { openPublisher } from './harness/publisher.ts';

const meters = 500;
const farm = 'bench';

/** A herd and its devices as people would have entered them. */
const herdScript = (animals: number, devices: number) => `
farm = env['farm.farm'].search([('code', '=', '${farm}')]) or env['farm.farm'].create({'name': 'Bench', 'code': '${farm}'})
env['farm.animal'].with_context(tracking_disable=True).create([
    {'name': 'Cow %d' % n, 'ear_tag': 'B%d' % n, 'rfid_tag': '%015d' % (900000000000000 + n), 'farm_id': farm.id}
    for n in range(${animals})])
env['iot.device'].with_context(tracking_disable=True).create([
    {'name': 'Device %d' % n, 'device_uid': 'd%d' % n, 'device_type': 'temperature', 'state': 'registered',
     'farm_id': farm.id} for n in range(${devices})])
env.cr.commit()
print('HERD', env['farm.animal'].search_count([]), env['iot.device'].search_count([]))
`;

const p95 = (times: readonly number[]) =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * 0.95))] ?? 0;

async function count(connector: BenchConnector, sql: string): Promise<number> {
  return withClient(connector.databaseUrl, async (query) => Number((await query(sql))[0]?.['n']));
}

/** Waits until `condition` holds; fails when it does not for two minutes. */
async function until(what: string, pauseMs: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 600_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await sleep(pauseMs);
  }
}

/** One person who opens the list of milkings again and again, as the web client does. Milliseconds of each. */
function pollLists(admin: OdooClient): { stop: () => Promise<number[]> } {
  const times: number[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      await admin.call('iot.milk.session', 'web_search_read', {
        domain: [],
        specification: {
          display_name: {},
          start_datetime: {},
          yield_kg: {},
          quality_grade: {},
          animal_id: { fields: { display_name: {} } },
          device_id: { fields: { display_name: {} } },
        },
        limit: 80,
        order: 'start_datetime desc, id desc',
        count_limit: 10_001,
      });
      times.push(performance.now() - startedAt);
      await sleep(250);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return times;
    },
  };
}

/** What one side has of the milkings: how many, their yield, and a hash over each record's key, revision and yield. */
interface Audit {
  n: number;
  yieldKg: number;
  hash: string;
}

// Each side writes `source_id revision grams` a line; PostgreSQL sorts by bytes here, Python by code points: the same for ASCII.
async function ourMilkings(connector: BenchConnector): Promise<Audit> {
  return withClient(connector.databaseUrl, async (query) => {
    const [row] = await query(`
      SELECT count(*) AS n, sum(yield_kg) AS kg, md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS hash
      FROM (
        SELECT m.yield_kg, format('%s/%s/%s %s %s', f.code, d.device_uid, m.session_key, m.revision,
          round(m.yield_kg::numeric * 1000)) AS line
        FROM iot.milk_session m JOIN iot.device d ON d.id = m.device_id JOIN iot.farm f ON f.id = m.farm_id
        WHERE m.revision > 0
      ) published`);
    return { n: Number(row?.['n']), yieldKg: Number(row?.['kg']), hash: String(row?.['hash']) };
  });
}

async function odoosMilkings(odoo: BenchOdoo): Promise<Audit> {
  const output = await odoo.shell(`
import hashlib
rows = env['iot.milk.session'].search([('source_id', '=like', '${farm}/%')]).read(['source_id', 'revision', 'yield_kg'])
lines = sorted('%s %d %d' % (row['source_id'], row['revision'], round(row['yield_kg'] * 1000)) for row in rows)
print('AUDIT', len(rows), repr(sum(row['yield_kg'] for row in rows)), hashlib.md5('\\n'.join(lines).encode()).hexdigest())
`);
  const [, n = '', yieldKg = '', hash = ''] = /AUDIT (\d+) (\S+) (\w+)/.exec(output) ?? [];
  return { n: Number(n), yieldKg: Number(yieldKg), hash };
}

/** Brings milkings into Odoo. */
async function milkings(
  context: BenchContext,
  connector: BenchConnector,
  odoo: BenchOdoo,
  admin: OdooClient,
  records: number,
) {
  context.report(`${records} milkings wait in the outbox`);
  await withClient(connector.databaseUrl, (query) =>
    query(`ALTER TABLE iot.outbox ALTER next_attempt_at SET DEFAULT now() + INTERVAL '1 day'`),
  );
  const publisher = await openPublisher(context.env, 'bench-odoo-sync');
  let sent = 0;
  const startAt = Date.now() - records * 100;
  await publisher.publish(records, () => {
    sent += 1;
    return milking(sent % meters, `b${sent}`, startAt + sent * 100);
  });
  await connector.committed(records);
  publisher.close();
  context.report('into Odoo, while its lists are read');
  const before = (await connector.status()).odoo_sent;
  const waiting = await count(connector, `SELECT count(*) AS n FROM iot.outbox WHERE state = 'pending'`);
  const lists = pollLists(admin);
  const locks = await watchLockWaits(context, odoo.db);
  const startedAt = performance.now();
  await withClient(connector.databaseUrl, async (query) => {
    await query(`ALTER TABLE iot.outbox ALTER next_attempt_at SET DEFAULT now()`);
    await query(`UPDATE iot.outbox SET next_attempt_at = now() WHERE state = 'pending'`);
    await query(`SELECT pg_notify('iot_outbox', '')`);
  });
  await until('Odoo has all milkings', 200, async () => {
    const status = await connector.status();
    return status.odoo_sent - before >= waiting && status.outbox_pending === 0;
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const times = await lists.stop();
  const lockWaitMs = await locks.stop();
  const [expected, found] = [await ourMilkings(connector), await odoosMilkings(odoo)];
  const agrees =
    expected.n === found.n &&
    expected.hash === found.hash &&
    Math.abs(expected.yieldKg - found.yieldKg) < 1e-6 * expected.yieldKg;
  return { perS: records / seconds, listP95: p95(times), lockWaitMs, expected, found, agrees };
}

/** Times a full synchronisation of everything that Odoo has. */
async function fullSync(context: BenchContext, connector: BenchConnector, odoo: BenchOdoo) {
  const [animals, devices] = context.quick ? [1_000, 500] : [10_000, 5_000];
  context.report(`making ${animals} animals and ${devices} devices in Odoo`);
  const output = await odoo.shell(herdScript(animals, devices));
  const [, inAnimals = '0', inDevices = '0'] = /HERD (\d+) (\d+)/.exec(output) ?? [];
  context.report('full synchronisation');
  const startedAt = performance.now();
  const response = await fetch(`${connector.url}/api/v1/odoo/resync`, {
    method: 'POST',
    headers: { authorization: `Bearer ${connector.token}` },
  });
  if (!response.ok) throw new Error(`resync: ${response.status} ${await response.text()}`);
  await until(
    'the full synchronisation has ended',
    100,
    async () =>
      (await count(connector, 'SELECT count(*) AS n FROM iot.odoo_cursor WHERE full_pass')) === 0 &&
      (await count(connector, 'SELECT count(*) AS n FROM iot.odoo_cursor')) >= 7,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const known = await count(connector, 'SELECT count(*) AS n FROM iot.animal WHERE active');
  const knownDevices = await count(
    connector,
    'SELECT count(*) AS n FROM iot.device WHERE odoo_id IS NOT NULL',
  );
  if (known < Number(inAnimals) || knownDevices < devices)
    throw new Error(
      `the connector has ${known} of ${inAnimals} animals, ${knownDevices} of ${inDevices} devices`,
    );
  return seconds;
}

/** One person edits an animal after the other. */
async function edits(context: BenchContext, connector: BenchConnector, admin: OdooClient): Promise<number> {
  const edited = context.quick ? 20 : 200;
  context.report(`${edited} edits in Odoo`);
  const domain = [['farm_id.code', '=', farm]];
  const ids = (await admin.call('farm.animal', 'search', { domain, limit: edited })) as number[];
  const times: number[] = [];
  await withClient(connector.databaseUrl, async (query) => {
    for (const id of ids) {
      const name = `Edited ${randomBytes(4).toString('hex')}`;
      await admin.call('farm.animal', 'write', { ids: [id], vals: { name } });
      const startedAt = performance.now();
      await until('the edit is in the connector', 5, async () => {
        const rows = await query(`SELECT 1 AS n FROM iot.animal WHERE odoo_id = ${id} AND name = '${name}'`);
        return rows.length > 0;
      });
      times.push(performance.now() - startedAt);
    }
  });
  return p95(times);
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const odoo = await benchOdoo(context);
  const secret = randomBytes(24).toString('hex');
  const connector = await startBenchConnector(context, { odoo, odooYaml: `secret: ${secret}` });
  try {
    const { url, db: database } = odoo;
    const login = { login: context.env['ODOO_LOGIN'] ?? '', apiKey: context.env['ODOO_PASSWORD'] ?? '' };
    const admin = createOdooClient({ url, database, ...login, transport: 'jsonrpc' });
    for (const [key, value] of [
      ['smart_dairy.connector_url', connector.url],
      ['smart_dairy.connector_secret', secret],
    ])
      await admin.call('ir.config_parameter', 'set_param', { key, value });
    const full = await fullSync(context, connector, odoo);
    const edit = await edits(context, connector, admin);
    const sent = await milkings(context, connector, odoo, admin, context.quick ? 10_000 : 100_000);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      records_per_s: rounded(sent.perS),
      list_p95_ms: rounded(sent.listP95),
      full_sync_s: rounded(full, 2),
      edit_to_connector_p95_ms: rounded(edit),
      lock_wait_max_ms: rounded(sent.lockWaitMs),
      odoo_expected: sent.expected.n,
      odoo_found: sent.found.n,
      audit_equal: sent.agrees,
      rss_mb: rounded(connector.peakRssMb()),
    };
  } finally {
    await connector.drop();
    await odoo.drop();
  }
}
