// A steady load of milkings on MQTT, and the audit that each of its messages is in the database exactly once.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, type TestConnector } from './connector.ts';

/** How much, and how fast. Every milking is a start, readings of 0.1 L, and an end. */
export interface LoadOptions {
  meters: number;
  milkingsPerMeter: number;
  readingsPerMilking: number;
  /** Pause between two readings of a meter, ms. */
  pauseMs: number;
}

/** A load that is running. */
export interface Load {
  total: number;
  sent: () => number;
  done: Promise<void>;
}

/** Publishes at QoS 1. Half of the readings carry no time: a redelivery must not count them twice. */
export function startLoad(connector: TestConnector, options: LoadOptions): Load {
  const { meters, milkingsPerMeter, readingsPerMilking, pauseMs } = options;
  // Near to now, because half of the readings get their moment of arrival: a milking's messages lie together.
  const start = Date.now() - 10 * 60_000;
  let sent = 0;
  const publishMilkings = async (meter: number) => {
    const topic = `dairy/${connector.farm}/milk_meter/m${meter}/data`;
    const send = async (message: object) => {
      await connector.mqtt.publishAsync(topic, JSON.stringify(message), { qos: 1 });
      sent += 1;
    };
    for (let milking = 0; milking < milkingsPerMeter; milking++) {
      const at = (second: number) => new Date(start + milking * 10_000 + second * 100).toISOString();
      const session_id = `k${milking}`;
      const all = [send({ type: 'session_start', session_id, timestamp: at(0) })];
      for (let i = 1; i <= readingsPerMilking; i++) {
        const timed = i % 2 === 0 ? { timestamp: at(i) } : {};
        all.push(send({ type: 'reading', session_id, volume: 0.1, ...timed }));
        if (pauseMs > 0) await sleep(pauseMs);
      }
      await Promise.all(all);
      await send({ type: 'session_end', session_id, timestamp: at(readingsPerMilking + 1) });
    }
  };
  const done = Promise.all(Array.from({ length: meters }, (_, meter) => publishMilkings(meter)));
  return {
    total: meters * milkingsPerMeter * (readingsPerMilking + 2),
    sent: () => sent,
    done: done.then(() => undefined),
  };
}

/** Waits until everything has arrived, and checks that nothing is missing and nothing came twice. Returns it in words. */
export async function audit(connector: TestConnector, options: LoadOptions): Promise<string> {
  const milkings = options.meters * options.milkingsPerMeter;
  const readings = milkings * options.readingsPerMilking;
  const count = async (sql: string) =>
    Number(
      (await connector.query<{ count: string }>(`SELECT count(*) FROM ${sql}`, [connector.farm]))[0]?.count,
    );
  const stored = () =>
    count(`iot.reading r JOIN iot.device d ON d.id = r.device_id JOIN iot.farm f ON f.id = d.farm_id
      JOIN iot.metric m ON m.id = r.metric_id WHERE m.name = 'milk_yield_increment' AND f.code = $1`);
  const closed = () =>
    count('iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id WHERE s.closed AND f.code = $1');
  await eventually('all readings are stored', async () => (await stored()) >= readings, 180_000);
  await eventually('all milkings are over', async () => (await closed()) >= milkings, 180_000);
  assert.equal(await stored(), readings, 'every reading exactly once');
  assert.equal(await closed(), milkings, 'every milking exactly once');
  const wrong = await connector.query(
    `SELECT s.session_key, s.yield_kg FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id
     WHERE f.code = $1 AND abs(s.yield_kg - $2) > 1e-6`,
    [connector.farm, options.readingsPerMilking * 0.1 * 1.03],
  );
  assert.deepEqual(wrong, [], 'every milking has the milk of each of its readings once');
  const records = await connector.query<{ count: string }>(
    `SELECT count(*) FROM iot.outbox WHERE kind = 'milk_session' AND source_id LIKE $1`,
    [`${connector.farm}/%`],
  );
  assert.equal(Number(records[0]?.count), milkings, 'one record for Odoo a milking');
  return `${readings} readings, ${milkings} milkings, lost 0, twice 0`;
}
