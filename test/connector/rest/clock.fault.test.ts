// A device whose clock is wrong, from its messages to what REST and the metrics say: the connector's process on a real database.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';

describe('clocks of devices', { skip: noBroker() }, () => {
  let connector: TestConnector;
  before(async () => {
    connector = await startConnector();
  });
  after(() => connector.drop());

  it('one is five minutes ahead: its values are marked, its card and the metrics say so', async () => {
    for (let second = 0; second < 5; second++) {
      for (const [uid, aheadMs] of [
        ['right', 0],
        ['ahead', 300_000],
      ] as const) {
        const points = [{ m: 'temperature', v: 4 }];
        await connector.mqtt.publishAsync(
          `dairy/${connector.farm}/temperature/${uid}/data`,
          JSON.stringify({ v: 1, at: Date.now() + aheadMs, points }),
          { qos: 1 },
        );
      }
      await sleep(1_000);
    }
    const offset = async (uid: string) => {
      const { body } = await ask(connector, `/api/v1/iot/devices/${uid}`);
      return body['clock_offset_seconds'] as number | null;
    };
    await eventually('the offsets', async () => {
      const [right, ahead] = [await offset('right'), await offset('ahead')];
      return right !== null && ahead !== null && Math.abs(right) < 30 && Math.abs(ahead + 300) < 30;
    });
    assert.deepEqual(
      await connector.query(
        'SELECT device_uid, quality, count(*)::int AS n FROM iot.sensor_data GROUP BY 1, 2 ORDER BY 1',
      ),
      [
        { device_uid: 'ahead', quality: 3, n: 5 },
        { device_uid: 'right', quality: 0, n: 5 },
      ],
    );
    const { text } = await ask(connector, '/metrics');
    assert.match(text, /^smart_dairy_devices_clock_off\{direction="ahead"\} 1$/m);
    assert.match(text, /^smart_dairy_devices_clock_off\{direction="behind"\} 0$/m);
    assert.match(text, /^smart_dairy_readings_doubtful_total\{quality="clock"\} 5$/m);
    assert.match(text, /^smart_dairy_database_connections\{pool="query",state="open"\} \d+$/m);
  });

  it('one stands in 1970: nothing is lost, its card says since when, one alert is raised and cleared when it is set', async () => {
    await connector.query(
      `WITH farm AS (INSERT INTO iot.farm (code, name) VALUES ($1, $1) ON CONFLICT (code) DO UPDATE SET code = $1 RETURNING id)
       INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
       SELECT id, 'reset', 'temperature', 'reset', 'registered' FROM farm`,
      [connector.farm],
    );
    const say = (payload: object) =>
      connector.mqtt.publishAsync(`dairy/${connector.farm}/temperature/reset/data`, JSON.stringify(payload), {
        qos: 1,
      });
    const alerts = () =>
      connector.query<{ state: string; message: string }>(
        `SELECT state, message FROM iot.alert WHERE alert_type = 'clock_off'`,
      );
    const from = Date.now();
    let sent = 0;
    await eventually('the alert', async () => {
      await say({ timestamp: new Date(60_000 * sent++).toISOString(), temperature: 4, humidity: '' });
      await sleep(500);
      return (await alerts()).length > 0;
    });
    assert.deepEqual(
      (await alerts()).map(({ state, message }) => [
        state,
        /^The clock of reset is \d+ days behind/.test(message),
      ]),
      [['new', true]],
    );
    const readings = await connector.query<{ time: Date; quality: number }>(
      `SELECT time, quality FROM iot.sensor_data WHERE device_uid = 'reset'`,
    );
    assert.equal(readings.length, sent);
    assert.ok(readings.every(({ time, quality }) => quality === 3 && time.getTime() >= from));
    assert.deepEqual(
      await connector.query('SELECT reason FROM iot.dead_letter WHERE strpos(topic, $1) > 0', [
        connector.farm,
      ]),
      [],
    );
    const { body } = await ask(connector, '/api/v1/iot/devices/reset');
    assert.notEqual(body['clock_off_since'], null);
    assert.match(String(body['unread_field']), /humidity: "" is not a number/);

    await eventually('the alert is cleared', async () => {
      await say({ timestamp: new Date().toISOString(), temperature: 4 });
      await sleep(500);
      return (await alerts()).every(({ state }) => state === 'resolved');
    });
  });

  it('one is three hours behind: late data raises nothing, an answer before its command does, and one in time clears it', async () => {
    await connector.query(
      `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
       SELECT id, 'slow', 'gate', 'slow', 'registered' FROM iot.farm WHERE code = $1`,
      [connector.farm],
    );
    const behindMs = 3 * 3_600_000;
    const topic = (type: string) => `dairy/${connector.farm}/gate/slow/${type}`;
    const send = (type: string, payload: object) =>
      connector.mqtt.publishAsync(topic(type), JSON.stringify(payload), { qos: 1 });
    const alerts = () =>
      connector.query<{ state: string; message: string }>(
        `SELECT state, message FROM iot.alert WHERE alert_key LIKE $1`,
        [`${connector.farm}/slow/clock_off/%`],
      );
    // The same as a backlog would look.
    await eventually('its offset is known', async () => {
      await send('data', { v: 1, at: Date.now() - behindMs, points: [{ m: 'temperature', v: 4 }] });
      await sleep(500);
      const { body } = await ask(connector, '/api/v1/iot/devices/slow');
      return Number(body['clock_offset_seconds']) > 10_000;
    });
    const answer = async (id: string, at: number) => {
      const path = `/api/v1/iot/devices/slow/commands?farm=${connector.farm}`;
      const { status } = await ask(connector, path, { body: { request_id: id, command: 'open' } });
      assert.equal(status, 202);
      const command = { id, command: 'open', result: 'done' };
      await send('status', { state: 'online', at: new Date(at).toISOString(), command });
      await eventually('the answer is known', async () => {
        const sql = `SELECT state FROM iot.command WHERE request_id = $1`;
        return (await connector.query(sql, [id]))[0]?.['state'] === 'done';
      });
    };
    const behind = async () =>
      (
        await connector.query(`SELECT clock_behind_seconds AS s FROM iot.device WHERE device_uid = 'slow'`)
      )[0]?.['s'];
    assert.deepEqual(await alerts(), []);
    await answer('in-time-first', Date.now());
    assert.equal(await behind(), null);
    await answer('too-early', Date.now() - behindMs);
    await eventually('the alert', async () => (await alerts()).length > 0);
    const [alert] = await alerts();
    assert.match(
      alert?.message ?? '',
      /^The clock of slow is 3 hours behind: it answered a command before it was asked/,
    );
    await answer('in-time', Date.now());
    await eventually('it is cleared', async () =>
      (await alerts()).every(({ state }) => state === 'resolved'),
    );
    assert.equal((await alerts()).length, 1);
    // And data that comes sooner than such a clock could send it.
    await answer('too-early-again', Date.now() - behindMs);
    assert.ok(Number(await behind()) > 10_000);
    await eventually('it was set since', async () => {
      await send('data', { v: 1, at: Date.now(), points: [{ m: 'temperature', v: 4 }] });
      await sleep(500);
      return (await behind()) === null;
    });
  });

  it('an answer from 1970 is an answer all the same', async () => {
    const path = `/api/v1/iot/devices/slow/commands?farm=${connector.farm}`;
    await ask(connector, path, { body: { request_id: 'epoch', command: 'open' } });
    await connector.mqtt.publishAsync(
      `dairy/${connector.farm}/gate/slow/status`,
      JSON.stringify({
        state: 'online',
        at: 60_000,
        command: { id: 'epoch', command: 'open', result: 'done' },
      }),
      { qos: 1 },
    );
    await eventually('the command has ended', async () => {
      const [row] = await connector.query(`SELECT state FROM iot.command WHERE request_id = 'epoch'`);
      return row?.['state'] === 'done';
    });
  });
});
