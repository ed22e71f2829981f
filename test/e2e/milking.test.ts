// A milking from the wire into a real Odoo 19: once, with its animal; corrections survive; strangers are welcome.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../support/connector.ts';
import { milkRecord } from '../support/milk.ts';
import { odooAdmin, type OdooAdmin } from '../support/odoo.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../support/stack.ts';

interface OdooMilking {
  id: number;
  source_id: string;
  revision: number;
  yield_kg: number;
  quality_grade: string | false;
  animal_id: [number, string] | false;
  device_id: [number, string] | false;
  identification: string;
  fat_percentage: number;
  is_complete: boolean;
  stall: string;
}
const fields = [
  'source_id',
  'revision',
  'yield_kg',
  'quality_grade',
  'animal_id',
  'device_id',
  'identification',
  'fat_percentage',
  'is_complete',
  'stall',
];

describe('a milking in Odoo', { skip: noOdoo() }, () => {
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

  // The demo data's farm1 has animals with tags 050000000000001…24.
  const publish = (session_id: string, message: Record<string, unknown> = {}) =>
    connector.mqtt.publishAsync(
      'dairy/farm1/milk_meters/meter_001/data',
      JSON.stringify(milkRecord({ session_id: `${connector.farm}-${session_id}`, ...message })),
      { qos: 1 },
    );
  const find = (session: string) =>
    admin.read<OdooMilking>(
      'iot.milk.session',
      [['source_id', '=', `farm1/meter_001/${connector.farm}-${session}`]],
      fields,
    );
  const arrived = async (session: string, revision = 1) => {
    await eventually(`${session} in Odoo`, async () => (await find(session))[0]?.revision === revision);
    const rows = await find(session);
    assert.equal(rows.length, 1);
    return rows[0]!;
  };

  it('arrives once with animal, yield and grade though it was published three times', async () => {
    const message = { timestamp: new Date().toISOString() };
    for (let i = 0; i < 3; i++) await publish('once', message);
    const row = await arrived('once');
    assert.equal(row.yield_kg, 10.3);
    assert.equal(row.quality_grade, 'A');
    assert.equal(row.identification, 'identified');
    assert.equal(row.stall, 'P3');
    assert.ok(row.animal_id);
    const [animal] = await admin.read<{ rfid_tag: string }>(
      'farm.animal',
      [['id', '=', row.animal_id[0]]],
      ['rfid_tag'],
    );
    assert.equal(animal?.rfid_tag, '050000000000001');
  });

  it('brings a new revision to the same record', async () => {
    const timestamp = new Date(Date.now() - 5_000).toISOString();
    await publish('revised', { timestamp });
    await arrived('revised');
    await publish('revised', { timestamp, quality: { fat_percentage: 2.6, protein_percentage: 2.6 } });
    const row = await arrived('revised', 2);
    assert.equal(row.fat_percentage, 2.6);
    assert.equal(row.quality_grade, 'C');
  });

  it('shows a stranger’s milking as unidentified, and a person’s correction survives later revisions', async () => {
    const timestamp = new Date(Date.now() - 9_000).toISOString();
    const stranger = { timestamp, rfid_tag: '050999999999999', animal_id: undefined };
    await publish('stranger', stranger);
    const row = await arrived('stranger');
    assert.equal(row.identification, 'unidentified');
    assert.equal(row.animal_id, false);
    const [animal] = await admin.read<{ id: number }>(
      'farm.animal',
      [['rfid_tag', '=', '050000000000005']],
      ['id'],
    );
    assert.ok(animal);
    await admin.write('iot.milk.session', [row.id], { animal_id: animal.id });
    await publish('stranger', { ...stranger, yield_liters: 11 });
    const corrected = await arrived('stranger', 2);
    assert.equal(corrected.yield_kg, 11.33);
    assert.equal(corrected.identification, 'corrected');
    assert.ok(corrected.animal_id);
    assert.equal(corrected.animal_id[0], animal.id);
  });

  it('shows a device that nobody registered as discovered, on a farm that nobody registered', async () => {
    await connector.mqtt.publishAsync(
      `dairy/${connector.farm}/temperature/probe-1/data`,
      JSON.stringify({ timestamp: new Date().toISOString(), temperature: 4 }),
      { qos: 1 },
    );
    const devices = () =>
      admin.read<{ state: string; farm_id: [number, string]; device_type: string }>(
        'iot.device',
        [['source_id', '=', `${connector.farm}/probe-1`]],
        ['state', 'farm_id', 'device_type'],
      );
    await eventually('the device', async () => (await devices()).length === 1);
    const [device] = await devices();
    assert.equal(device?.state, 'discovered');
    assert.equal(device.device_type, 'temperature');
    assert.match(device.farm_id[1], new RegExp(connector.farm));
  });

  it('raises an alert for milk above the cell count limit', async () => {
    await publish('cells', {
      timestamp: new Date(Date.now() - 2_000).toISOString(),
      quality: { fat_percentage: 4, protein_percentage: 3.4, somatic_cell_count: 900_000 },
    });
    const row = await arrived('cells');
    assert.equal(row.quality_grade, 'reject');
    // Odoo hears of alerts of registered devices only.
    await connector.query(`UPDATE iot.device SET state = 'registered' WHERE device_uid = 'meter_001'`);
    const alerts = () =>
      admin.read<{ alert_type: string; severity: string; state: string }>(
        'iot.alert',
        [['source_id', '=', `farm1/meter_001/${connector.farm}-cells/high_scc`]],
        ['alert_type', 'severity', 'state'],
      );
    await eventually('the alert', async () => (await alerts()).length === 1);
    const [alert] = await alerts();
    assert.equal(alert?.severity, 'high');
    assert.equal(alert.state, 'new');
  });

  it('is refused without harm while the key does not hold, and arrives afterwards', async () => {
    const [user] = await admin.read<{ id: number }>(
      'res.users',
      [['login', '=', 'smart_dairy_connector']],
      ['id'],
    );
    assert.ok(user);
    await admin.write('res.users', [user.id], { active: false });
    await publish('denied', { timestamp: new Date(Date.now() - 1_000).toISOString() });
    const status = async () =>
      (await (await connector.get('/api/v1/status')).json()) as { odoo_state: string };
    await eventually('the connector says so', async () => (await status()).odoo_state === 'denied');
    const ready = (await (await connector.get('/health/ready')).json()) as {
      status: string;
      checks: { odoo: { detail: string } };
    };
    assert.equal(ready.status, 'degraded');
    assert.match(ready.checks.odoo.detail, /^denied: /);
    await admin.write('res.users', [user.id], { active: true });
    await arrived('denied');
    const alerts = () =>
      admin.read<{ state: string }>(
        'iot.alert',
        [
          ['alert_type', '=', 'integration'],
          ['source_id', '=', 'farm1/integration/odoo'],
        ],
        ['state'],
      );
    await eventually(
      'the alert about it is there, resolved',
      async () => (await alerts())[0]?.state === 'resolved',
    );
  });
});
