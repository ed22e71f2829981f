// kill -9 in the middle of 100,000 messages: every reading once in the database, every milking once in Odoo.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startConnector } from '../support/connector.ts';
import { odooAdmin } from '../support/odoo.ts';
import { noOdoo, odooDatabase } from '../support/stack.ts';

const meters = 50;
const milkingsPerMeter = 20;
const readingsPerMilking = 98;
const totalMessages = meters * milkingsPerMeter * (readingsPerMilking + 2);

test('kill -9 in the middle of 100,000 messages loses and doubles nothing', { skip: noOdoo() }, async (t) => {
  assert.equal(totalMessages, 100_000);
  const odoo = await odooDatabase();
  const connector = await startConnector({ odoo });
  try {
    // Near to now, because half of the readings get their moment of arrival: a milking's messages lie together.
    const start = Date.now() - 10 * 60_000;
    let sent = 0;
    const publishMilkings = async (meter: number) => {
      const topic = `dairy/${connector.farm}/milk_meter/m${meter}/data`;
      const send = (message: object) =>
        connector.mqtt.publishAsync(topic, JSON.stringify(message), { qos: 1 }).then(() => (sent += 1));
      for (let milking = 0; milking < milkingsPerMeter; milking++) {
        const at = (second: number) => new Date(start + milking * 10_000 + second * 100).toISOString();
        const session_id = `k${milking}`;
        const all = [send({ type: 'session_start', session_id, timestamp: at(0) })];
        for (let i = 1; i <= readingsPerMilking; i++) {
          // Half of them without a time: redelivery must not count their volume twice.
          const timed = i % 2 === 0 ? { timestamp: at(i) } : {};
          all.push(send({ type: 'reading', session_id, volume: 0.1, ...timed }));
        }
        await Promise.all(all);
        await send({ type: 'session_end', session_id, timestamp: at(readingsPerMilking + 1) });
      }
    };
    const publishing = Promise.all(Array.from({ length: meters }, (_, meter) => publishMilkings(meter)));
    let kills = 0;
    for (const share of [0.2, 0.45, 0.7]) {
      await eventually(`${share * 100} % published`, () => Promise.resolve(sent >= totalMessages * share));
      await connector.stop('SIGKILL');
      kills += 1;
      await connector.start();
    }
    await publishing;
    const expectedMilkings = meters * milkingsPerMeter;
    const count = async (sql: string) =>
      Number((await connector.query<{ n: string }>(sql, [connector.farm]))[0]?.n);
    const readings = () =>
      count(
        `SELECT count(*) AS n FROM iot.sensor_data WHERE farm_code = $1 AND metric = 'milk_yield_increment'`,
      );
    await eventually(
      'all milkings are published',
      async () =>
        (await count(
          `SELECT count(*) AS n FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id WHERE f.code = $1 AND revision > 0`,
        )) === expectedMilkings,
      300_000,
    );
    await eventually(
      'all readings are stored',
      async () => (await readings()) >= meters * milkingsPerMeter * readingsPerMilking,
      300_000,
    );
    assert.equal(
      await readings(),
      meters * milkingsPerMeter * readingsPerMilking,
      'every reading exactly once',
    );
    const wrong = await connector.query(
      `SELECT s.session_key, s.yield_kg FROM iot.milk_session s JOIN iot.farm f ON f.id = s.farm_id
       WHERE f.code = $1 AND abs(s.yield_kg - $2) > 1e-6`,
      [connector.farm, readingsPerMilking * 0.1 * 1.03],
    );
    assert.deepEqual(wrong, [], 'every milking has the milk of each of its readings once');

    const admin = odooAdmin(odoo);
    const found = async () =>
      Number(
        await admin.call('iot.milk.session', 'search_count', {
          domain: [['source_id', '=like', `${connector.farm}/%`]],
        }),
      );
    await eventually('all milkings are in Odoo', async () => (await found()) >= expectedMilkings, 300_000);
    await eventually(
      'the outbox is empty',
      async () =>
        (await count(`SELECT count(*) AS n FROM iot.outbox WHERE state <> 'sent' AND $1 <> ''`)) === 0,
      300_000,
    );
    assert.equal(await found(), expectedMilkings, 'every milking exactly once');
    const [sum] = (await admin.call('iot.milk.session', 'formatted_read_group', {
      domain: [['source_id', '=like', `${connector.farm}/%`]],
      groupby: [],
      aggregates: ['yield_kg:sum'],
    })) as { 'yield_kg:sum': number }[];
    assert.ok(Math.abs((sum?.['yield_kg:sum'] ?? 0) - expectedMilkings * 10.094) < 0.5, 'with all the milk');
    t.diagnostic(
      `${sent} messages, ${kills} kills, ${await readings()} readings, ${await found()} milkings in Odoo`,
    );
  } finally {
    await connector.drop();
    await odoo.drop();
  }
});
