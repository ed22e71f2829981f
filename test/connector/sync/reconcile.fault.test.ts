// The comparison with the real Odoo: what is missing there or older comes again, and then both sides agree.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { odooAdmin, type OdooAdmin } from '../../support/odoo.ts';
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
  let connector: TestConnector;
  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
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
    return ((await response.json()) as Line[]).filter(({ kind }) => kind === 'milk_session');
  };
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
    const whole = await compare();
    assert.ok(whole.every(({ agrees, db_sum, odoo_sum }) => agrees && db_sum !== null && odoo_sum !== null));
    assert.equal(
      whole.reduce((sum, { odoo_count }) => sum + odoo_count, 0),
      at.length,
    );

    const [lost, old] = await inOdoo();
    assert.ok(lost && old);
    await admin.call('iot.milk.session', 'unlink', { ids: [lost.id] });
    await admin.write('iot.milk.session', [old.id], { revision: old.revision - 1, yield_kg: 1 });
    const broken = await compare();
    assert.equal(
      broken.reduce((sum, { requeued }) => sum + requeued, 0),
      2,
    );
    await eventually('both sides agree', async () => (await compare()).every(({ agrees }) => agrees));
    const now = await inOdoo();
    assert.equal(now.length, at.length);
    assert.equal(now.find(({ id }) => id === old.id)?.yield_kg, old.yield_kg);
    const metrics = (await (await fetch(`${connector.url}/metrics`)).text()).split('\n');
    const line = (name: string) => metrics.find((text) => text.startsWith(`${name}{kind="milk_session"}`));
    assert.equal(line('smart_dairy_odoo_disagreeing_days')?.split(' ')[1], '0');
    assert.equal(line('smart_dairy_odoo_requeued_total')?.split(' ')[1], '2');
  });

  test('what the database does not know is counted, and left alone', async () => {
    const [known] = await inOdoo();
    assert.ok(known);
    await admin.call('iot.milk.session', 'copy', { ids: [known.id] });
    const [copy] = await admin.read<{ id: number }>('iot.milk.session', [['source', '=', false]], []);
    if (copy === undefined) throw new Error('no copy');
    await admin.write('iot.milk.session', [copy.id], { source: 'smart_dairy', source_id: 'nobody/knows/me' });
    const lines = await compare();
    assert.equal(
      lines.reduce((sum, { surplus }) => sum + surplus, 0),
      1,
    );
    assert.equal(
      lines.reduce((sum, { requeued }) => sum + requeued, 0),
      0,
    );
  });
});
