// Copies of an Odoo database beside the original: what a copy says moves no device, and the connector gives it nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { odooCommand } from '../../support/odoo-command.ts';
import { databaseUuid } from '../../support/odoo-sync.ts';
import { odooAdmin, type OdooAdmin } from '../../support/odoo.ts';
import { copyOfOdoo, noOdoo, odooDatabase, type TestOdoo } from '../../support/stack.ts';

const secret = 'a-secret-that-both-sides-know';

describe('copies of the database', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let connector: TestConnector;
  let feeder: number;
  const copies: TestOdoo[] = [];
  /** What was published to the devices of the farm. */
  const told: string[] = [];

  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
    connector = await startConnector({ odoo, odooYaml: `secret: ${secret}` });
    await link(admin);
    const [farm] = await made(admin, 'farm.farm', { name: 'Copied Farm', code: connector.farm });
    const values = { name: 'Feeder', device_uid: 'feeder_1', device_type: 'feeder', state: 'active' };
    feeder = (await made(admin, 'iot.device', { ...values, farm_id: farm }))[0] ?? 0;
    await eventually('the connector knows the feeder and the database', async () => {
      const rows = await connector.query(
        `SELECT FROM iot.device d, iot.odoo_binding b WHERE d.device_uid = 'feeder_1' AND b.database_uuid = $1`,
        [await databaseUuid(admin)],
      );
      return rows.length === 1;
    });
    connector.mqtt.on('message', (_topic, payload) => {
      told.push((JSON.parse(payload.toString()) as { command: string }).command);
    });
    await connector.mqtt.subscribeAsync(`dairy/${connector.farm}/+/+/commands`, { qos: 1 });
  });
  after(async () => {
    await connector.drop();
    for (const one of [...copies, odoo]) await one.drop();
  });

  const made = async (on: OdooAdmin, model: string, values: Record<string, unknown>) =>
    (await on.call(model, 'create', { vals_list: [values] })) as number[];
  /** As a person does it. */
  async function link(on: OdooAdmin): Promise<void> {
    for (const [key, value] of [
      ['connector_url', connector.url],
      ['connector_secret', secret],
    ])
      await on.call('ir.config_parameter', 'set_param', { key: `smart_dairy.${key}`, value });
  }
  async function copied(): Promise<{ copy: TestOdoo; person: OdooAdmin }> {
    const copy = await copyOfOdoo(odoo);
    copies.push(copy);
    return { copy, person: odooAdmin(copy) };
  }
  /** Sends a command and answers what its record says then. */
  async function command(on: OdooAdmin, name: string) {
    const ids = await made(on, 'iot.device.command', { device_id: feeder, command: name });
    await on.call('iot.device.command', 'action_send', { ids });
    const [row] = await on.read<{ state: string; detail: string }>(
      'iot.device.command',
      [['id', 'in', ids]],
      ['state', 'detail'],
    );
    assert.ok(row);
    return row;
  }
  const knows = async (tag: string) =>
    (await connector.query('SELECT FROM iot.animal WHERE rfid = $1', [tag])).length > 0;
  const cow = async (on: OdooAdmin, tag: string) => {
    const [farm] = await on.read<{ id: number }>('farm.farm', [['code', '=', connector.farm]], ['id']);
    await made(on, 'farm.animal', { name: tag, rfid_tag: tag, farm_id: farm?.id });
  };
  const milkings = (on: OdooAdmin, key: string) =>
    on.read('iot.milk.session', [['source_id', 'like', key]], ['source_id']);

  test("a copy made by Odoo, not neutralized: its link is the original's", async () => {
    const { person } = await copied();
    // What Odoo does with each copy that it makes.
    await person.call('ir.config_parameter', 'set_param', { key: 'database.uuid', value: 'a-copy' });
    const { state, detail } = await command(person, 'from_a_copy');
    assert.equal(state, 'rejected');
    assert.match(detail, /This database is a copy/);
    assert.equal((await command(admin, 'from_the_original_1')).state, 'sent');
  });

  test('a neutralized copy, connected by mistake', async () => {
    const { copy, person } = await copied();
    const shell = await odooCommand(copy.db);
    try {
      await shell.run(['neutralize', '-d', copy.db]);
    } finally {
      shell.end();
    }
    const left = await person.read('ir.config_parameter', [['key', '=like', 'smart_dairy.%']], ['key']);
    assert.deepEqual(left, [], 'neither address nor secret');
    assert.match((await command(person, 'not_connected')).detail, /No connector is set up/);

    await link(person);
    const { state, detail } = await command(person, 'connected_by_mistake');
    assert.equal(state, 'rejected');
    assert.match(detail, /copy of the database that the connector belongs to/);

    // The other way: the connector is started on the copy, with a key that works there.
    const script = `print('@', env['iot.bridge.setup']._issue_connector_key()['api_key']); env.cr.commit()`;
    const again = await odooCommand(copy.db);
    const output = await again.run(['shell', '-d', copy.db], script).finally(again.end);
    const [, apiKey = ''] = /^@ (\S+)/m.exec(output) ?? [];
    await cow(person, '900000000000071');
    await connector.stop();
    Object.assign(connector.env, { ODOO_DB: copy.db, ODOO_API_KEY: apiKey });
    await connector.start();
    const topic = `dairy/${connector.farm}/milk_meter/meter_001/data`;
    await connector.mqtt.publishAsync(topic, JSON.stringify(milkRecord({ session_id: 'kept' })), { qos: 1 });
    await eventually('both directions have been tried', () =>
      Promise.resolve(
        /cannot pull from Odoo/.test(connector.log()) && /Odoo is now: misconfigured/.test(connector.log()),
      ),
    );
    assert.match(connector.log(), /is a copy of the one that the connector belongs to/);

    // On the original again: it gets what was kept, and it alone was listened to.
    await connector.stop();
    Object.assign(connector.env, { ODOO_DB: odoo.db, ODOO_API_KEY: odoo.apiKey });
    await connector.start();
    await cow(admin, '900000000000072');
    await eventually('the animal of the original is known', () => knows('900000000000072'));
    await eventually(
      'the milking is in the original',
      async () => (await milkings(admin, 'kept')).length === 1,
    );
    assert.equal(await knows('900000000000071'), false, 'an animal of the copy');
    assert.deepEqual(await milkings(person, 'kept'), [], 'a milking in the copy');
    assert.equal((await command(admin, 'from_the_original_2')).state, 'sent');
    await eventually('the device was told', () => Promise.resolve(told.includes('from_the_original_2')));
    assert.deepEqual(told, ['from_the_original_1', 'from_the_original_2']);
  });

  test('the original, restored or moved, keeps its UUID and goes on; another database is connected anew by a person', async () => {
    const { copy: moved, person } = await copied();
    await connector.stop();
    Object.assign(connector.env, { ODOO_DB: moved.db });
    await connector.start();
    await cow(person, '900000000000073');
    await eventually('its animals come', () => knows('900000000000073'));
    assert.equal((await command(person, 'from_the_moved_one')).state, 'sent');

    await person.call('ir.config_parameter', 'set_param', {
      key: 'database.uuid',
      value: 'another-database',
    });
    assert.equal((await command(person, 'refused')).state, 'rejected');
    await link(person);
    await person.call('ir.config_parameter', 'set_param', {
      key: 'smart_dairy.connector_secret',
      value: false,
    });
    await link(person);
    const answer = await fetch(`${connector.url}/api/v1/odoo/connect-anew`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connector.token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(answer.status, 202);
    await cow(person, '900000000000074');
    await eventually('its animals come again', () => knows('900000000000074'));
    const binding = await connector.query('SELECT database_uuid FROM iot.odoo_binding');
    assert.deepEqual(binding, [{ database_uuid: 'another-database' }]);
    assert.equal((await command(person, 'connected_anew')).state, 'sent');
  });
});
