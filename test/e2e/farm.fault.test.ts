// What npm start shows: the simulated farm, one gateway process with the delivered gateway.yaml, a connector, and everything in the database.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { startSimulator } from '../../scripts/dev/simulator/simulator.ts';
import { watch } from '../gateways/support/broker.ts';
import { eventually, startConnector } from '../support/connector.ts';
import { freePort } from '../support/free-port.ts';
import { noBroker, stackEnv } from '../support/stack.ts';

interface Count {
  device_type: string;
  devices: number;
  metrics: number;
}

test(
  'milk meters, tanks, sensors, collars, feeders and tag reader are in the database',
  { skip: noBroker() },
  async (t) => {
    const { MQTT_URL: url = '', MQTT_USERNAME: username = '', MQTT_PASSWORD: password = '' } = stackEnv();
    const folder = mkdtempSync(join(tmpdir(), 'farm-'));
    t.after(() => rmSync(folder, { recursive: true }));
    // With the devices of the delivered connector.yaml: the tag reader is registered for every stall.
    const delivered = readFileSync('config/connector.yaml', 'utf8');
    const connector = await startConnector({ yaml: delivered.slice(delivered.indexOf('\ndevices:')) });
    t.after(() => connector.drop());
    // Takes the retained states away afterwards: the broker is for all tests.
    const eyes = await watch(
      { name: 'stack', url, username, password, stop: () => Promise.resolve() },
      'dairy/farm1/#',
    );
    t.after(() => eyes.close());
    const [intake, token] = [await freePort(), 'a-token-for-the-simulator'];
    const simulator = await startSimulator({
      speed: 120,
      rfidPort: 0,
      mqtt: { url, username, password },
      surroundings: { http: { url: `http://127.0.0.1:${intake}`, token } },
    });
    t.after(() => simulator.stop());
    const gateway = spawn(process.execPath, ['gateways/main.ts', 'config/gateway.yaml'], {
      env: {
        ...process.env,
        MQTT_URL: url,
        MQTT_USERNAME: username,
        MQTT_PASSWORD: password,
        CHIRPSTACK_MQTT_USERNAME: username,
        CHIRPSTACK_MQTT_PASSWORD: password,
        SIMULATOR_MODBUS_PORT: String(simulator.modbusPort),
        SIMULATOR_RFID_PORT: String(simulator.rfidPort),
        SIMULATOR_HTTP_TOKEN: token,
        GATEWAY_HTTP_PORT: String(intake),
        GATEWAY_SPOOL_FILE: join(folder, 'spool.sqlite'),
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    t.after(async () => {
      gateway.kill('SIGTERM');
      if (gateway.exitCode === null) await once(gateway, 'exit');
      // ChirpStack's events wait on the broker for a gateway that is away.
      for (const clientId of ['gateway-farm1-parlour-gw-chirpstack', 'gateway-farm1-parlour-gw']) {
        const cleaner = await connectAsync(url, { username, password, clientId, clean: true });
        await cleaner.endAsync();
      }
    });

    const seen = async (): Promise<Record<string, string>> => {
      const counts = await connector.query<Count>(
        `select d.device_type, count(distinct r.device_id)::int devices, count(distinct r.metric_id)::int metrics
         from iot.reading r join iot.device d on d.id = r.device_id group by 1`,
      );
      const [milk] = await connector.query<{ sessions: number; tagged: number }>(
        'select count(*)::int sessions, count(rfid)::int tagged from iot.milk_session',
      );
      const [tags] = await connector.query<{ reads: number }>(
        'select count(*)::int reads from iot.rfid_read',
      );
      const line = ({ devices, metrics }: Count) => `${devices} devices, ${metrics} metrics`;
      return {
        ...Object.fromEntries(counts.map((count) => [count.device_type, line(count)])),
        milkings: milk !== undefined && milk.sessions >= 16 ? 'many' : 'few',
        tagged: milk !== undefined && milk.tagged >= 12 ? 'many' : 'few',
        tags: tags !== undefined && tags.reads >= 12 ? 'many' : 'few',
      };
    };
    const whole = {
      // Eight stalls on Modbus, three meters with their own JSON.
      milk_meter: '11 devices, 14 metrics',
      // LoRaWAN: seven fields, position, signal.
      collar: '24 devices, 10 metrics',
      feeder: '2 devices, 2 metrics',
      // Two tanks on Modbus, two sensors over HTTP.
      temperature: '4 devices, 8 metrics',
      milkings: 'many',
      tagged: 'many',
      tags: 'many',
    };
    await eventually('the whole farm', async () => assert.deepEqual(await seen(), whole));
    const dead = await connector.query('select topic, reason from iot.dead_letter');
    assert.deepEqual(dead, []);
  },
);
