// A lost gateway: its last will comes in, one alert goes out, whatever number of devices is behind it; and it clears.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker, stackEnv } from '../../support/stack.ts';

describe('presence', { skip: noBroker() }, () => {
  let connector: TestConnector;
  before(async () => {
    connector = await startConnector({
      yaml: 'presence: { gateway_lost_seconds: 1, device_offline_seconds: 1 }',
    });
    await connector.query(`INSERT INTO iot.farm (code, name) VALUES ($1, $1)`, [connector.farm]);
    await connector.query(
      `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
       SELECT id, 'gw', 'gateway', 'gw', 'registered' FROM iot.farm WHERE code = $1`,
      [connector.farm],
    );
    await connector.query(
      `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
       SELECT id, 'm' || n, 'milk_meter', 'm' || n, 'registered' FROM iot.farm, generate_series(1, 20) n WHERE code = $1`,
      [connector.farm],
    );
  });
  after(() => connector.drop());

  /** A gateway as the broker sees it, with its last will. Nothing is retained: the broker is shared. */
  const gateway = (): Promise<MqttClient> => {
    const env = stackEnv();
    return connectAsync(env['MQTT_URL'] ?? '', {
      username: env['MQTT_USERNAME'] ?? '',
      password: env['MQTT_PASSWORD'] ?? '',
      reconnectPeriod: 0,
      will: {
        topic: topic('gateway', 'gw'),
        payload: Buffer.from('{"state":"offline","detail":"connection lost"}'),
        qos: 1,
        retain: false,
      },
    });
  };
  const topic = (type: string, uid: string) => `dairy/${connector.farm}/${type}/${uid}/status`;
  const say = async (client: MqttClient, state: string, meters: number) => {
    await client.publishAsync(topic('gateway', 'gw'), '{"state":"online","devices":20}', { qos: 1 });
    for (let meter = 1; meter <= meters; meter++)
      await client.publishAsync(topic('milk_meter', `m${meter}`), JSON.stringify({ state, via: 'gw' }), {
        qos: 1,
      });
  };
  const alerts = () =>
    connector.query<{ type: string; state: string; uid: string; message: string }>(
      `SELECT a.alert_type AS type, a.state, d.device_uid AS uid, a.message FROM iot.alert a
       JOIN iot.device d ON d.id = a.device_id JOIN iot.farm f ON f.id = d.farm_id WHERE f.code = $1 ORDER BY a.id`,
      [connector.farm],
    );
  const reach = async (uid: string) => {
    const response = await connector.get(`/api/v1/iot/devices/${uid}?farm=${connector.farm}`);
    const { reach: state, gateway: via } = (await response.json()) as Record<string, unknown>;
    return [state, via];
  };

  test('twenty devices behind a gateway that is cut off: one alert, and the devices are unreachable', async () => {
    const client = await gateway();
    await say(client, 'online', 20);
    await eventually('the devices are there', async () => (await reach('m20'))[0] === 'online');
    client.stream.destroy();
    await eventually('the alert is raised', async () => (await alerts()).length > 0);
    assert.deepEqual(await reach('m1'), ['unreachable', 'gw']);
    assert.deepEqual(await alerts(), [
      {
        type: 'gateway_lost',
        state: 'new',
        uid: 'gw',
        message: 'Gateway gw is lost: connection lost. Devices behind it that cannot be reached: 20',
      },
    ]);
    const outbox = await connector.query(
      `SELECT payload ->> 'alert_type' AS type, payload ->> 'device_uid' AS uid, payload ->> 'parameters' AS parameters
       FROM iot.outbox
       WHERE kind = 'alert' AND source_id LIKE $1`,
      [`${connector.farm}/%`],
    );
    assert.deepEqual(outbox, [
      { type: 'gateway_lost', uid: 'gw', parameters: '{"reason":"connection lost"}' },
    ]);

    const again = await gateway();
    await say(again, 'online', 20);
    await eventually('the alert is cleared', async () => (await alerts())[0]?.state === 'resolved');
    assert.deepEqual(await reach('m1'), ['online', 'gw']);
    assert.equal((await alerts()).length, 1);
    await again.endAsync();
  });

  test('one device behind a gateway that is there is an event of its own; one that was removed is none', async () => {
    const client = await gateway();
    await say(client, 'online', 0);
    await client.publishAsync(
      topic('milk_meter', 'm2'),
      '{"state":"offline","via":"gw","detail":"no longer configured","removed":true}',
      { qos: 1 },
    );
    await client.publishAsync(
      topic('milk_meter', 'm1'),
      '{"state":"offline","via":"gw","detail":"no answer"}',
      {
        qos: 1,
      },
    );
    await eventually('the alert is raised', async () => (await alerts()).length === 2);
    assert.deepEqual((await alerts())[1], {
      type: 'device_offline',
      state: 'new',
      uid: 'm1',
      message: 'Device m1 is offline: no answer',
    });
    assert.deepEqual(await reach('m2'), [null, null]);
    await say(client, 'online', 1);
    await eventually('the alert is cleared', async () => (await alerts())[1]?.state === 'resolved');
    assert.equal((await alerts()).length, 2);
    await client.endAsync();
  });
});
