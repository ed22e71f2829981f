// A command end to end: REST → broker → gateway process → a real Modbus TCP device and back into the database.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startModbusDevice, type ModbusDevice } from '../../gateways/support/modbus-device.ts';
import { gatewayProcess, type GatewayProcess } from '../../gateways/support/process.ts';
import { callSigned } from '../../support/odoo-sync.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker, stackEnv } from '../../support/stack.ts';
import { ask } from '../rest/api-client.ts';

const secret = 'a-secret-that-both-sides-know';

describe('commands', { skip: noBroker() }, () => {
  let connector: TestConnector;
  let device: ModbusDevice;
  let gateway: GatewayProcess;
  before(async () => {
    connector = await startConnector({ odooYaml: `secret: ${secret}` });
    device = await startModbusDevice();
    const env = stackEnv();
    gateway = gatewayProcess({
      farm: connector.farm,
      uid: 'gw',
      broker: {
        url: env['MQTT_URL'] ?? '',
        username: env['MQTT_USERNAME'] ?? '',
        password: env['MQTT_PASSWORD'] ?? '',
      },
      sections: `
modbus:
  buses:
    - name: tanks
      host: 127.0.0.1
      port: ${device.port}
      timeout_ms: 500
      devices:
        - { uid: tank, unit: 1, profile: bulk-tank-controller-modbus }
        - { uid: dead-tank, unit: 2, profile: bulk-tank-controller-modbus }
`,
    });
    await gateway.start();
    await known('tank');
    await known('dead-tank');
    device.silent.add(2);
  });
  after(async () => {
    await gateway.drop();
    // What is retained would stay on the shared broker for ever.
    for (const [type, uid] of [
      ['gateway', 'gw'],
      ['temperature', 'tank'],
      ['temperature', 'dead-tank'],
    ])
      await connector.mqtt.publishAsync(`dairy/${connector.farm}/${type}/${uid}/status`, '', {
        retain: true,
      });
    await device.close();
    await connector.drop();
  });

  const known = (uid: string) =>
    eventually(
      `${uid} is known`,
      async () => (await connector.get(`/api/v1/iot/devices/${uid}?farm=${connector.farm}`)).ok,
    );
  const send = (uid: string, body: Record<string, unknown>) =>
    ask(connector, `/api/v1/iot/devices/${uid}/commands?farm=${connector.farm}`, { body });
  const one = async (id: unknown) => (await ask(connector, `/api/v1/iot/commands/${String(id)}`)).body;
  const ended = async (id: unknown) => {
    await eventually('the command has ended', async () => (await one(id))['finished_at'] !== null);
    return one(id);
  };

  test('a set point is written, read back and told; the same request again writes nothing', async () => {
    const order = { command: 'set_temperature', value: 3.5, request_id: 'set-1' };
    const answer = await send('tank', order);
    assert.equal(answer.status, 202);
    assert.equal(answer.body['state'], 'sent');
    const result = await ended('set-1');
    assert.deepEqual(
      [result['state'], result['result_value'], result['detail'], result['requested_by']],
      ['done', 3.5, null, 'rest'],
    );
    assert.deepEqual(device.writes, ['1/0=35']);
    const again = await send('tank', order);
    assert.deepEqual([again.status, again.body['state']], [202, 'done']);
    const other = await send('tank', { ...order, value: 4 });
    assert.equal(other.status, 422);
    // The broker may deliver twice: the gateway knows the id.
    const commandTopic = `dairy/${connector.farm}/temperature/tank/commands`;
    const redelivered = { id: 'set-1', command: 'set_temperature', value: 3.5 };
    await connector.mqtt.publishAsync(commandTopic, JSON.stringify(redelivered), { qos: 1 });
    assert.equal(
      (await ended((await send('tank', { command: 'start_agitator' })).body['request_id']))['state'],
      'done',
    );
    assert.deepEqual(device.writes, ['1/0=35', '1/0=true']);
  });

  test('what can never work is rejected with its reason', async () => {
    const wrong = await ended(
      (await send('tank', { command: 'set_temperatur', value: 3 })).body['request_id'],
    );
    assert.equal(wrong['state'], 'rejected');
    assert.match(String(wrong['detail']), /did you mean 'set_temperature'/);
    // The connector does not know the device's profile here; the gateway does.
    const outside = await ended(
      (await send('tank', { command: 'set_temperature', value: 30 })).body['request_id'],
    );
    assert.match(String(outside['detail']), /value 30 is outside 2 to 8/);
    assert.equal((await send('nobody', { command: 'open' })).status, 404);
    assert.equal((await send('tank', { command: 'open', timeout_ms: 1 })).status, 400);
  });

  test('a device that does not answer: the command ends, and is not executed when the device comes back', async () => {
    const id = (await send('dead-tank', { command: 'set_temperature', value: 5, timeout_ms: 300 })).body[
      'request_id'
    ];
    const result = await ended(id);
    assert.equal(result['state'], 'timed_out');
    assert.match(String(result['detail']), /no answer within 300 ms/);
    device.silent.delete(2);
    const next = await ended((await send('dead-tank', { command: 'stop_agitator' })).body['request_id']);
    assert.equal(next['state'], 'done');
    assert.deepEqual(
      device.writes.filter((write) => write.startsWith('2/')),
      ['2/0=false'],
    );
  });

  test('a gateway that is away: timed out after its time, and never executed when it is back', async () => {
    assert.equal(await gateway.stop(), 0);
    const before = device.writes.length;
    const first = await send('tank', { command: 'set_temperature', value: 6, timeout_ms: 500 });
    const id = first.body['request_id'];
    assert.equal((await one(id))['state'], 'sent');
    const result = await ended(id);
    assert.equal(result['state'], 'timed_out');
    assert.match(String(result['detail']), /nobody answered/);
    const took = Date.parse(String(result['finished_at'])) - Date.parse(String(result['requested_at']));
    assert.ok(took >= 500, `${took} ms`);
    await gateway.start();
    // Even when somebody repeats the old message.
    const commandTopic = `dairy/${connector.farm}/temperature/tank/commands`;
    const late = { id, command: 'set_temperature', value: 6, expires_at: result['expires_at'] };
    await eventually('the gateway refuses it', async () => {
      await connector.mqtt.publishAsync(commandTopic, JSON.stringify(late), { qos: 1 });
      return (await one(id))['state'] === 'rejected';
    });
    assert.match(String((await one(id))['detail']), /came too late/);
    await sleep(50);
    assert.equal(device.writes.length, before);
  });

  test('the same from Odoo, and what its screens ask', async () => {
    const call = (path: string, content: Record<string, unknown>) =>
      callSigned(connector.url, secret, path, content);
    const order = {
      farm: connector.farm,
      device_uid: 'tank',
      command: 'set_temperature',
      params: { value: 4 },
    };
    const answer = await call('command', { ...order, request_id: 'odoo-7' });
    assert.deepEqual(
      [answer.status, answer.body['accepted'], answer.body['request_id'], answer.body['state']],
      [202, true, 'odoo-7', 'sent'],
    );
    await ended('odoo-7');
    const { body } = await call('command/status', { request_ids: ['odoo-7', 'unheard-of'] });
    const commands = body['commands'] as Record<string, unknown>[];
    assert.deepEqual(
      commands.map(({ request_id: id, state, result_value: value, requested_by: by }) => [
        id,
        state,
        value,
        by,
      ]),
      [['odoo-7', 'done', 4, 'odoo']],
    );
    // Odoo hears of it by itself.
    const [row] = await connector.query<{ payload: Record<string, unknown> }>(
      `SELECT payload FROM iot.outbox WHERE kind = 'command'`,
    );
    assert.ok(row !== undefined);
    const { state, value, result_value: shown, device_uid: uid } = row.payload;
    assert.deepEqual([state, value, shown, uid], ['done', '4', '4', 'tank']);
    await connector.query(
      `UPDATE iot.device SET profile = 'bulk-tank-controller-modbus' WHERE device_uid = 'tank'`,
    );
    const offered = await call('command/known', { farm: connector.farm, device_uid: 'tank' });
    assert.deepEqual((offered.body['commands'] as unknown[])[0], {
      name: 'set_temperature',
      takes_value: true,
      min: 2,
      max: 8,
      unit: 'Cel',
      description: null,
    });
    for (const refused of [
      await call('command', { ...order, params: { value: 30 }, request_id: 'too-warm' }),
      await send('tank', { command: 'set_temperature', value: 30, request_id: 'too-warm' }),
    ]) {
      assert.equal(refused.status, 422);
      assert.match(String(refused.body['detail']), /within 2 to 8/);
    }
    assert.equal((await ask(connector, '/api/v1/iot/commands/too-warm')).status, 404, 'nothing was stored');
    await connector.query(`UPDATE iot.device SET profile = 'smart-dairy-collar' WHERE device_uid = 'tank'`);
    const downlinks = (await call('command/known', { farm: connector.farm, device_uid: 'tank' })).body;
    assert.deepEqual((downlinks['commands'] as unknown[])[0], {
      name: 'set_interval',
      takes_value: true,
      min: 1,
      max: 120,
      unit: null,
      description: 'Minutes between two reports',
    });
    assert.equal((downlinks['commands'] as { name: string }[]).at(-1)?.name, 'downlink');
    const listed = await ask(connector, `/api/v1/iot/devices/tank/commands?limit=1&farm=${connector.farm}`);
    assert.equal((listed.body['commands'] as { request_id: string }[])[0]?.request_id, 'odoo-7');
  });
});
