// A database that hangs, on a real broker: the connector holds no more than its limits, and loses nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';

const batch = 500;
const maxBytes = 1_000_000;

describe('while the database hangs', { skip: noBroker() }, () => {
  let connector: TestConnector;
  before(async () => {
    connector = await startConnector();
    await connector.stop();
    const limits = `intake:\n  batch_messages: ${batch}\n  max_pending_bytes: ${maxBytes}`;
    writeFileSync(connector.config, connector.configText.replace('intake:', limits));
    await connector.start();
  });
  after(() => connector.drop());

  const gauge = async (name: string) => {
    const text = await (await connector.get('/metrics')).text();
    return Number(new RegExp(`^smart_dairy_pending_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const rows = async (uid: string) => {
    const [row] = await connector.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM iot.reading JOIN iot.device d ON d.id = device_id WHERE d.device_uid = $1`,
      [uid],
    );
    return row?.n ?? 0;
  };

  /** Publishes `count` messages while nothing can be written; returns the most that the connector held. */
  async function hang(
    t: TestContext,
    uid: string,
    count: number,
    points: number,
  ): Promise<{ messages: number; bytes: number }> {
    const topic = `dairy/${connector.farm}/temperature/${uid}/data`;
    const start = Date.now() - 3_600_000;
    const payload = (index: number) => {
      const moment = start + index * points;
      const values = Array.from({ length: points }, (_, point) => ({
        m: 'temperature',
        t: moment + point,
        v: 4,
      }));
      return JSON.stringify({ v: 1, at: moment, points: values });
    };
    await connector.mqtt.publishAsync(topic, payload(0), { qos: 1 });
    await eventually('the device is known', async () => (await rows(uid)) === points);
    await connector.query('BEGIN');
    await connector.query('LOCK TABLE iot.reading IN ACCESS EXCLUSIVE MODE');
    const most = { messages: 0, bytes: 0 };
    let over = false;
    const watch = (async () => {
      while (!over) {
        most.messages = Math.max(most.messages, await gauge('messages'));
        most.bytes = Math.max(most.bytes, await gauge('bytes'));
        await sleep(20);
      }
    })();
    try {
      const all = Array.from({ length: count - 1 }, (_, index) =>
        connector.mqtt.publishAsync(topic, payload(index + 1), { qos: 1 }),
      );
      await Promise.all(all);
      await eventually('it takes no more', async () => {
        const before = await gauge('messages');
        await sleep(500);
        return before > 100 && (await gauge('messages')) === before;
      });
    } finally {
      over = true;
      await watch;
      await connector.query('COMMIT');
    }
    await eventually('all are stored', async () => (await rows(uid)) >= count * points);
    assert.equal(await rows(uid), count * points);
    assert.equal(await gauge('messages'), 0);
    t.diagnostic(`held at most ${most.messages} messages, ${most.bytes} bytes, of ${count} messages`);
    return most;
  }

  test('small messages: two batches, by the receive maximum', async (t) => {
    const { messages } = await hang(t, 'small', 4_000, 1);
    assert.equal(messages, 2 * batch);
  });

  test('large messages: the limit of bytes and one message', async (t) => {
    const { messages, bytes } = await hang(t, 'large', 1_000, 100);
    assert.ok(bytes > maxBytes && bytes < maxBytes + 10_000, `${bytes} bytes`);
    assert.ok(messages < 2 * batch, `${messages} messages`);
  });

  test('nothing came as a dead letter, and the connection was never lost', async () => {
    const [row] = await connector.query<{ n: number }>('SELECT count(*)::int AS n FROM iot.dead_letter');
    assert.equal(row?.n, 0);
    assert.doesNotMatch(connector.log(), /connection to the broker lost/);
  });
});
