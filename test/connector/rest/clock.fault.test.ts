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
});
