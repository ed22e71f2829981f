// A whole gateway: reload by difference, commands with answers, its own state and health page.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { protocol } from '../../../gateways/modbus/protocol.ts';
import type { ModbusSettings } from '../../../gateways/modbus/settings.ts';
import { loadGatewayConfig, type GatewayConfig } from '../../../gateways/shared/config.ts';
import { startGateway } from '../../../gateways/shared/gateway.ts';
import { protocolNames } from '../../../gateways/shared/process.ts';
import { startModbusServer } from '../../../scripts/dev/simulator/modbus-server.ts';
import { startOwnBroker, until, watch } from '../support/broker.ts';

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

/** A gateway with the shipped configuration before a server whose registers are all 7. */
async function setUp(t: TestContext) {
  const broker = await startOwnBroker();
  const eyes = await watch(broker, 'dairy/#');
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    registers: () => new Array<number>(30).fill(7),
    fate: () => ({ kind: 'answer', delayMs: 0 }),
  });
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const environment = {
    MQTT_URL: broker.url,
    SIMULATOR_MODBUS_PORT: String(server.port),
    GATEWAY_SPOOL_FILE: join(folder, 's.sqlite'),
  };
  const others = protocolNames().filter((name) => name !== 'modbus');
  // The parlour only: what else the shipped file has is of no interest here.
  const load = () =>
    onParlour(loadGatewayConfig('config/gateway.yaml', [protocol], environment, others), () => ({}));
  const config = load();
  const gateway = await startGateway(config, [protocol], logger);
  t.after(async () => {
    await gateway.stop();
    await eyes.close();
    await server.close();
    await broker.stop();
    rmSync(folder, { recursive: true });
  });
  const page = async (path: string) =>
    (await fetch(`http://127.0.0.1:${gateway.healthPort() ?? 0}${path}`)).text();
  const connects = async () => /bus_connects_total\S* (\d+)/.exec(await page('/metrics'))?.[1];
  const statesOf = (uid: string) =>
    eyes.seen
      .filter(({ topic }) => topic.endsWith(`/${uid}/status`))
      .map(({ text }) => JSON.parse(text) as Record<string, unknown>);
  return { broker, eyes, gateway, load, config, page, connects, statesOf };
}

/** The same configuration with its first bus changed, and no other. */
function onParlour(
  config: GatewayConfig,
  change: (bus: ModbusSettings['buses'][number]) => object,
): GatewayConfig {
  const modbus = config.settings.get('modbus') as ModbusSettings;
  const buses = modbus.buses.slice(0, 1).map((bus) => ({ ...bus, ...change(bus) }));
  return { ...config, settings: new Map([['modbus', { ...modbus, buses }]]) };
}

test('an identical reload reconnects nothing, a changed one touches only what changed', async (t) => {
  const { gateway, load, config, connects, statesOf, page } = await setUp(t);
  const stalls = Array.from({ length: 8 }, (_, index) => `stall-0${index + 1}`);
  await until('all online', () => stalls.every((stall) => statesOf(stall).length > 0));
  assert.equal(await connects(), '1');
  await gateway.reload(load());
  assert.equal(await connects(), '1');

  await gateway.reload(onParlour(config, ({ devices }) => ({ devices: devices.slice(0, 7) })));
  await until('stall-08 has gone', () => statesOf('stall-08').at(-1)?.['state'] === 'offline');
  assert.equal(statesOf('stall-01').length, 1);
  assert.equal(await connects(), '1');
  const metrics = await page('/metrics');
  assert.match(metrics, /gateway_devices_online 7\n/);
  assert.match(metrics, /# TYPE gateway_messages_acknowledged_total counter\n/);
  for (const own of ['uptime_seconds', 'resident_memory_bytes', 'cpu_seconds_total'])
    assert.match(metrics, new RegExp(`gateway_process_${own} [0-9]`));

  await gateway.reload(onParlour(config, () => ({ timeoutMs: 777 })));
  await until('stall-08 is back', () => statesOf('stall-08').at(-1)?.['state'] === 'online');
  assert.equal(await connects(), '2');
});

test('its own state names its number of devices, and devices name it', async (t) => {
  const { config, statesOf, page } = await setUp(t);
  await until('eight', () => statesOf(config.shared.uid).at(-1)?.['devices'] === 8);
  assert.equal(statesOf('stall-01')[0]?.['via'], config.shared.uid);
  assert.match(await page('/health/ready'), /"status":"ready"/);
  assert.equal(await page('/health/live'), 'ok\n');
});

test('commands are answered: accepted, then the result; twice the same is executed once', async (t) => {
  const { broker, config, statesOf } = await setUp(t);
  await until('online', () => statesOf('stall-01').length > 0);
  const client = await connectAsync(broker.url);
  t.after(() => client.endAsync(true));
  const send = (body: object) =>
    client.publishAsync(`dairy/${config.shared.farm}/milk_meter/stall-01/commands`, JSON.stringify(body), {
      qos: 1,
    });
  const results = () =>
    statesOf('stall-01').flatMap(({ command }) =>
      command === undefined ? [] : [command as Record<string, unknown>],
    );
  await send({ id: '1', command: 'open' });
  await send({ id: '1', command: 'open' });
  await send({ id: '2', command: 'open', expires_at: '2020-01-01T00:00:00Z' });
  await send({ nonsense: true });
  await until('answers', () => results().length >= 4);
  const told = (id: string) => results().flatMap((result) => (result['id'] === id ? [result['result']] : []));
  assert.deepEqual(told('1'), ['accepted', 'rejected']);
  assert.deepEqual(told('2'), ['rejected']);
  assert.match(
    results()
      .map(({ detail }) => String(detail))
      .join(),
    /came too late: it has expired/,
  );
  assert.deepEqual(told(''), ['rejected']);
});
