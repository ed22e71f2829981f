// The comparison with the real Odoo: what is missing there or older comes again, and then both sides agree.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { odooAdmin, odooIntegration, type OdooAdmin } from '../../support/odoo.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../../support/stack.ts';

interface Line {
  kind: string;
  day: string;
  db_count: number;
  odoo_count: number;
  db_sum: number | null;
  odoo_sum: number | null;
  requeued: number;
  surplus: number;
  agrees: boolean;
}

describe('reconciliation', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let integration: OdooAdmin;
  let connector: TestConnector;
  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
    integration = odooIntegration(odoo);
    connector = await startConnector({ odoo });
  });
  after(async () => {
    await connector.drop();
    await odoo.drop();
  });

  const compare = async (): Promise<Line[]> => {
    const response = await fetch(`${connector.url}/api/v1/odoo/reconciliation`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connector.token}`, 'content-type': 'application/json' },
      body: '{"days": 4}',
    });
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as Line[];
  };
  const compareMilk = async () => (await compare()).filter(({ kind }) => kind === 'milk_session');
  const compareDevices = async () => (await compare()).filter(({ kind }) => kind === 'device');
  const inOdoo = () =>
    admin.read<{ id: number; revision: number; yield_kg: number }>(
      'iot.milk.session',
      [['source_id', '=like', `${connector.farm}/%`]],
      ['revision', 'yield_kg'],
    );

  test('lost and old records are found by day, sent again, and then both sides agree', async () => {
    // Around midnight in UTC two of them are of the day before; the report has a line for each day.
    const at = [2, 30, 50, 51].map((hours) => new Date(Date.now() - hours * 3_600_000).toISOString());
    for (const [index, timestamp] of at.entries())
      await connector.mqtt.publishAsync(
        `dairy/${connector.farm}/milk_meter/m1/data`,
        JSON.stringify(
          milkRecord({ device_id: 'm1', session_id: `s${index}`, timestamp, yield_liters: 10.1 + index }),
        ),
        { qos: 1 },
      );
    await eventually('all are in Odoo', async () => (await inOdoo()).length === at.length);
    const whole = await compareMilk();
    assert.ok(whole.every(({ agrees, db_sum, odoo_sum }) => agrees && db_sum !== null && odoo_sum !== null));
    assert.equal(
      whole.reduce((sum, { odoo_count }) => sum + odoo_count, 0),
      at.length,
    );

    const [lost, old] = await inOdoo();
    assert.ok(lost && old);
    await admin.call('iot.milk.session', 'unlink', { ids: [lost.id] });
    // As if Odoo had been restored from a backup in which it was another.
    await integration.write('iot.milk.session', [old.id], {
      revision: old.revision - 1,
      content_hash: 'older',
      yield_kg: 1,
    });
    const broken = await compareMilk();
    assert.equal(
      broken.reduce((sum, { requeued }) => sum + requeued, 0),
      2,
    );
    await eventually('both sides agree', async () => (await compareMilk()).every(({ agrees }) => agrees));
    const now = await inOdoo();
    assert.equal(now.length, at.length);
    assert.equal(now.find(({ id }) => id === old.id)?.yield_kg, old.yield_kg);
    const metrics = (await (await fetch(`${connector.url}/metrics`)).text()).split('\n');
    const line = (name: string) => metrics.find((text) => text.startsWith(`${name}{kind="milk_session"}`));
    assert.equal(line('smart_dairy_odoo_disagreeing_days')?.split(' ')[1], '0');
    assert.equal(line('smart_dairy_odoo_requeued_total')?.split(' ')[1], '2');
  });

  const published = async (session: string) => {
    const [row] = await connector.query<{ revision: number; outbox: number; state: string }>(
      `SELECT s.revision, o.revision AS outbox, o.state FROM iot.milk_session s
       JOIN iot.outbox o ON o.kind = 'milk_session' AND o.source_id = $1 || '/m1/' || s.session_key WHERE s.wire_id = $2`,
      [connector.farm, session],
    );
    assert.ok(row);
    return row;
  };
  /** What a later message makes of a milking: another content, and the next revision after the one that the database has. */
  const correct = (session: string, fat: number) =>
    connector.query(
      `WITH s AS (UPDATE iot.milk_session SET revision = revision + 1, record = jsonb_set(record, '{fat_pct}', to_jsonb($3::float8))
         WHERE wire_id = $2 RETURNING $1 || '/m1/' || session_key AS source_id, revision, record)
       SELECT iot.outbox_put(ARRAY['milk_session'], ARRAY[source_id], ARRAY[revision], ARRAY[record]) FROM s`,
      [connector.farm, session, fat],
    );
  const fatInOdoo = async (session: string) => {
    const [row] = await admin.read<{ fat_percentage: number }>(
      'iot.milk.session',
      [['source_id', '=like', `${connector.farm}/m1/%${session}%`]],
      ['fat_percentage'],
    );
    return row?.fat_percentage;
  };
  const agreed = () =>
    eventually('both sides agree', async () => (await compareMilk()).every(({ agrees }) => agrees));

  test('a database restored to an older revision: the correction after it arrives, and stale is seen', async () => {
    await agreed();
    await correct('s0', 4.1);
    await correct('s0', 4.2);
    await eventually('the correction is in Odoo', async () => (await fatInOdoo('s0')) === 4.2);
    await eventually('it is settled', async () => (await published('s0')).state === 'sent');
    const { revision } = await published('s0');
    for (const table of ['iot.milk_session', 'iot.outbox'])
      await connector.query(
        `UPDATE ${table} SET revision = revision - 2 WHERE ${table === 'iot.outbox' ? "kind = 'milk_session' AND source_id LIKE '%' || $1" : 'session_key LIKE $1'}`,
        [table === 'iot.outbox' ? '/m1/%s0%' : '%s0%'],
      );
    await correct('s0', 4.3);
    await eventually('Odoo calls it stale', async () => (await published('s0')).state === 'stale');
    const metrics = await (await fetch(`${connector.url}/metrics`)).text();
    assert.match(metrics, /smart_dairy_outbox_records\{kind="milk_session",state="stale"\} 1/);
    assert.equal(await fatInOdoo('s0'), 4.2);
    await compareMilk();
    await eventually('the correction is in Odoo', async () => (await fatInOdoo('s0')) === 4.3);
    const raised = await published('s0');
    assert.deepEqual([raised.revision, raised.outbox], [revision + 1, revision + 1]);
    await agreed();
  });

  test('a milking that turns out to be none is archived, and counts on neither side', async () => {
    const at = Date.now() - 20 * 60_000;
    const publish = (type: string, offsetS: number, more: object = {}) =>
      connector.mqtt.publishAsync(
        `dairy/${connector.farm}/milk_meter/m2/data`,
        JSON.stringify({ type, timestamp: new Date(at + offsetS * 1000).toISOString(), ...more }),
        { qos: 1 },
      );
    const ofMeter = (domain: unknown[]) =>
      admin.read<{ id: number; yield_kg: number; is_void: boolean }>(
        'iot.milk.session',
        [['source_id', '=like', `${connector.farm}/m2/%`], ...domain],
        ['yield_kg', 'is_void'],
      );
    const seen = async () => (await ofMeter([])).map(({ yield_kg: kg }) => kg);
    const archived = () => ofMeter([['active', '=', false]]);
    await publish('reading', 60, { volume: 4 });
    await publish('reading', 360, { volume: 5 });
    await publish('session_end', 420);
    await eventually('the milking is in Odoo', async () => (await seen())[0] === 9.27);
    // Their starts come late: these were two, and the first one has no end.
    await publish('session_start', 0);
    await publish('session_start', 300);
    await eventually('the one that is left is seen alone', async () => (await seen()).join() === '5.15');
    const [none, ...others] = await archived();
    assert.deepEqual([none?.yield_kg, none?.is_void, others], [0, true, []]);
    await agreed();
    const total = (lines: Line[], of: 'db_count' | 'odoo_count') =>
      lines.reduce((sum, line) => sum + line[of], 0);
    const before = await compareMilk();
    const [published] = await connector.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM iot.milk_session WHERE revision > 0 AND NOT retired',
    );
    assert.deepEqual(
      [total(before, 'db_count'), total(before, 'odoo_count')],
      [published?.count, published?.count],
    );

    // It is compared nevertheless: one that Odoo lacks would come up again with an older record of its own.
    await admin.call('iot.milk.session', 'unlink', { ids: [none?.id] });
    assert.equal(
      (await compareMilk()).reduce((sum, { requeued }) => sum + requeued, 0),
      1,
    );
    await eventually('it is back, archived', async () => (await archived()).length === 1);
    assert.deepEqual(await seen(), [5.15]);
    await agreed();
  });

  test('contents that differ in one revision, with equal counts and sums, are found', async () => {
    await agreed();
    await correct('s1', 4.4);
    await eventually('it is in Odoo', async () => (await fatInOdoo('s1')) === 4.4);
    await eventually('it is settled', async () => (await published('s1')).state === 'sent');
    // Restored on our side to another content of the same revision.
    await connector.query(
      `UPDATE iot.milk_session SET record = jsonb_set(record, '{fat_pct}', '4.6') WHERE wire_id = 's1'`,
    );
    const lines = await compareMilk();
    assert.equal(lines.filter(({ agrees }) => !agrees).length, 1);
    await eventually('ours is in Odoo', async () => (await fatInOdoo('s1')) === 4.6);
    await agreed();
  });

  test('a milking over midnight counts for the day on which it starts, on both sides', async () => {
    const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    await connector.mqtt.publishAsync(
      `dairy/${connector.farm}/milk_meter/m2/data`,
      JSON.stringify(
        milkRecord({
          device_id: 'm2',
          session_id: 'night',
          timestamp: new Date(midnight + 1_000).toISOString(),
          yield_liters: 10,
          duration_seconds: 300,
        }),
      ),
      { qos: 1 },
    );
    await eventually('it is in Odoo', async () => {
      const rows = await admin.read<{ start_datetime: string; end_datetime: string }>(
        'iot.milk.session',
        [['source_id', '=like', `${connector.farm}/m2/%`]],
        ['start_datetime', 'end_datetime'],
      );
      return rows.some((row) => row.start_datetime.slice(0, 10) !== row.end_datetime.slice(0, 10));
    });
    await agreed();
    assert.ok((await compareMilk()).every(({ requeued }) => requeued === 0));
  });

  test('what the database does not know is counted, and left alone', async () => {
    const [known] = await inOdoo();
    assert.ok(known);
    await admin.call('iot.milk.session', 'copy', { ids: [known.id] });
    const [copy] = await admin.read<{ id: number }>('iot.milk.session', [['source', '=', false]], []);
    if (copy === undefined) throw new Error('no copy');
    await integration.write('iot.milk.session', [copy.id], {
      source: 'smart_dairy',
      source_id: 'nobody/knows/me',
    });
    const lines = await compareMilk();
    assert.equal(
      lines.reduce((sum, { surplus }) => sum + surplus, 0),
      1,
    );
    assert.equal(
      lines.reduce((sum, { requeued }) => sum + requeued, 0),
      0,
    );
  });

  test('a device that Odoo lost or has in an older revision comes again; one that a person deleted does not', async () => {
    const source = (uid: string) => `${connector.farm}/${uid}`;
    for (const uid of ['r1', 'r2', 'r3'])
      await connector.mqtt.publishAsync(
        `dairy/${connector.farm}/temperature/${uid}/data`,
        JSON.stringify({ v: 1, at: new Date().toISOString(), points: [{ m: 'temperature', v: 4 }] }),
        { qos: 1 },
      );
    const devices = () =>
      admin.read<{ id: number; source_id: string; revision: number }>(
        'iot.device',
        [['source_id', 'in', ['r1', 'r2', 'r3'].map(source)]],
        ['source_id', 'revision'],
      );
    // Nobody told Odoo where this connector is.
    const resync = () =>
      fetch(`${connector.url}/api/v1/odoo/resync`, {
        method: 'POST',
        headers: { authorization: `Bearer ${connector.token}` },
      });
    const settled = () =>
      eventually('nothing is under way', async () => {
        const [line] = await compareDevices();
        const isOver = line?.agrees === true && line.db_count === line.odoo_count;
        return isOver || Promise.reject(new Error(JSON.stringify(line)));
      });
    await eventually('all are in Odoo', async () => {
      const found = await devices();
      return found.length === 3 && found.every(({ revision }) => revision > 0);
    });
    await settled();
    await resync();
    await eventually('their ids in Odoo are known', async () => {
      const rows = await connector.query(
        `SELECT 1 FROM iot.device WHERE odoo_id IS NOT NULL AND device_uid = ANY ('{r1,r2,r3}')`,
      );
      return rows.length === 3;
    });
    // The demo's devices are known now, also one that a person refused: they are Odoo's own.
    const [refused] = await connector.query("SELECT 1 FROM iot.device WHERE state = 'rejected'");
    assert.ok(refused);
    await settled();
    assert.deepEqual(await connector.query("SELECT * FROM iot.outbox WHERE state = 'parked'"), []);
    const [lost, old, deleted] = (await devices()).sort((a, b) => a.source_id.localeCompare(b.source_id));
    assert.ok(lost && old && deleted);
    await admin.call('iot.device', 'unlink', { ids: [lost.id, deleted.id] });
    await resync();
    await eventually('the deletion is known', async () => {
      const rows = await connector.query('SELECT 1 FROM iot.device WHERE deleted_in_odoo_at IS NOT NULL');
      return rows.length === 2;
    });
    // As if one had been lost without a trace.
    await connector.query(`UPDATE iot.device SET deleted_in_odoo_at = NULL WHERE device_uid = 'r1'`);
    await integration.write('iot.device', [old.id], { revision: -1 });
    const [line] = await compareDevices();
    assert.equal(line?.requeued, 2);
    await settled();
    assert.deepEqual((await devices()).map(({ source_id }) => source_id).sort(), ['r1', 'r2'].map(source));
    assert.ok((await devices()).every(({ revision }) => revision > 0));
  });
});
