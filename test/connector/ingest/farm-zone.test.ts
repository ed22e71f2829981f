// A farm with a time zone of its own, as Odoo gives it: its devices' local times and its evenings are in it, from now on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';

describe('time zone of a farm', { skip: noBroker() }, () => {
  let connector: TestConnector;
  before(async () => {
    connector = await startConnector();
    await connector.query('INSERT INTO iot.farm (code, name) VALUES ($1, $1)', [connector.farm]);
  });
  after(() => connector.drop());

  /** A milking at eight in the evening of the day before yesterday, by the meter's clock. */
  const milk = async (session: string) => {
    const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
    const message = {
      timestamp: `${day}T20:00:00`,
      session_id: session,
      rfid_tag: '050000000000001',
      yield_liters: 11,
      flow_rate: 2.3,
      duration_seconds: 300,
      quality: { fat_percentage: 3.9, protein_percentage: 3.3, somatic_cell_count: 120_000 },
      equipment: { milking_position: 'P1' },
    };
    const topic = `dairy/${connector.farm}/milk_meter/meter_${session}/data`;
    await connector.mqtt.publishAsync(topic, JSON.stringify(message), { qos: 1 });
    let found: Record<string, unknown> | undefined;
    await eventually(`milking ${session}`, async () => {
      [found] = await connector.query(
        `SELECT extract(hour FROM started_at AT TIME ZONE 'UTC')::int AS hour, record ->> 'milking' AS milking
         FROM iot.milk_session WHERE wire_id = $1 AND record IS NOT NULL`,
        [session],
      );
      return found !== undefined;
    });
    return found;
  };

  test('without one the connector’s counts, and Odoo’s in its place as soon as it is known', async () => {
    const inDhaka = await milk('s1');
    assert.deepEqual([[13, 14].includes(Number(inDhaka?.['hour'])), inDhaka?.['milking']], [true, 'evening']);
    await connector.query(`UPDATE iot.farm SET timezone = 'America/Lima' WHERE code = $1`, [connector.farm]);
    let number = 1;
    await eventually('eight in the evening is that of Lima', async () => {
      number += 1;
      const inLima = await milk(`s${number}`);
      return [0, 1].includes(Number(inLima?.['hour'])) && inLima?.['milking'] === 'evening';
    });
  });
});
