// Packet ids come round after 65,535 messages: an equal message under an old id is news, also when the connector was killed
// with it unread. And what the broker keeps for new subscribers counts once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';

const increments = async (connector: TestConnector, device: string) =>
  (
    await connector.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM iot.sensor_data
       WHERE farm_code = $1 AND device_uid = $2 AND metric = 'milk_yield_increment'`,
      [connector.farm, device],
    )
  )[0]?.n;
const equal = JSON.stringify({ type: 'reading', session_id: 's1', volume: 0.1 });
const topicOf = (connector: TestConnector, type: string, device: string) =>
  `dairy/${connector.farm}/${type}/${device}/data`;

async function publish(
  connector: TestConnector,
  topic: string,
  payloadOf: (n: number) => string,
  count: number,
) {
  for (let n = 0; n < count; n += 1_000)
    await Promise.all(
      Array.from({ length: Math.min(1_000, count - n) }, (_, index) =>
        connector.mqtt.publishAsync(topic, payloadOf(n + index), { qos: 1 }),
      ),
    );
}

test(
  'equal messages without a time under packet ids that came round are all stored',
  { skip: noBroker() },
  async () => {
    const connector = await startConnector();
    try {
      const meter = topicOf(connector, 'milk_meter', 'm1');
      await publish(connector, meter, () => equal, 3_000);
      const start = Date.now() - 3_600_000;
      const dated = (n: number) =>
        JSON.stringify({ v: 1, at: start + n, points: [{ m: 'temperature', v: 4 }] });
      await publish(connector, topicOf(connector, 'temperature', 't1'), dated, 63_435);
      const stored = async () =>
        (await connector.query<{ n: number }>('SELECT count(*)::int AS n FROM iot.reading'))[0]?.n;
      await eventually('all are stored', async () => ((await stored()) ?? 0) >= 66_435, 120_000);
      connector.signal('SIGSTOP');
      await publish(connector, meter, () => equal, 1_000);
      await connector.stop('SIGKILL');
      await connector.start();
      await eventually('the last are stored', async () => ((await stored()) ?? 0) >= 67_435, 60_000);
      assert.equal(await increments(connector, 'm1'), 4_000);
    } finally {
      await connector.drop();
    }
  },
);

test(
  'a retained message without a time counts once, however often we subscribe',
  { skip: noBroker() },
  async () => {
    const connector = await startConnector();
    const topic = topicOf(connector, 'milk_meter', 'm2');
    try {
      await connector.mqtt.publishAsync(topic, equal, { qos: 1, retain: true });
      await eventually('it is stored', async () => (await increments(connector, 'm2')) === 1);
      for (let restart = 1; restart <= 2; restart++) {
        await connector.stop('SIGKILL');
        await connector.start();
        // What comes behind a replay would come after it.
        const marker = topicOf(connector, 'milk_meter', `marker${restart}`);
        await connector.mqtt.publishAsync(marker, equal, { qos: 1 });
        await eventually('the marker', async () => (await increments(connector, `marker${restart}`)) === 1);
      }
      assert.equal(await increments(connector, 'm2'), 1);
    } finally {
      await connector.mqtt.publishAsync(topic, '', { qos: 1, retain: true });
      await connector.drop();
    }
  },
);
