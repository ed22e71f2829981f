// The gateway's configuration: the shipped file is right, and mistakes are answered with place and remedy.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { protocol } from '../../../gateways/modbus/protocol.ts';
import type { ModbusSettings } from '../../../gateways/modbus/settings.ts';
import { loadGatewayConfig } from '../../../gateways/shared/config.ts';
import { protocolNames } from '../../../gateways/shared/process.ts';

const others = protocolNames().filter((name) => name !== 'modbus');
const load = (file: string, environment: Record<string, string>) =>
  loadGatewayConfig(file, [protocol], environment, others);

test('the shipped configuration polls the demo parlour', () => {
  const { shared, settings } = load('config/gateway.yaml', { MQTT_URL: 'mqtt://127.0.0.1' });
  const { buses } = settings.get('modbus') as ModbusSettings;
  const [bus] = buses;
  assert.deepEqual(bus?.line, { transport: 'tcp', host: '127.0.0.1', port: 5020 });
  assert.equal(bus.devices.length, 8);
  assert.deepEqual([shared.mqtt.username, shared.mqtt.password], [undefined, undefined]);
  assert.equal(bus.devices[7]?.uid, 'stall-08');
  assert.equal(bus.devices[0]?.plans[0]?.blocks.length, 1);
});

/** Loads a configuration with these devices and returns the complaint. */
function complaint(t: TestContext, devices: string[], line = 'host: h'): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  const lines = [
    'farm: f',
    'uid: gw',
    'mqtt: { url: mqtt://x }',
    `profiles: ${resolve('config/profiles')}`,
    `metrics: ${resolve('config/metrics.yaml')}`,
    'spool: { file: spool.sqlite }',
    'modbus:',
    '  buses:',
    '    - name: b',
    `      ${line}`,
    '      devices:',
    ...devices.map((device) => `        - ${device}`),
  ];
  writeFileSync(file, lines.join('\n'));
  try {
    load(file, {});
  } catch (error) {
    return String(error);
  }
  return 'no complaint';
}

test('a misspelt profile, a uid and a unit used twice', (t) => {
  const text = complaint(t, [
    '{ uid: a, unit: 1, profile: generic-milk-meter-modbs }',
    '{ uid: a, unit: 1, profile: generic-milk-meter-modbus }',
  ]);
  assert.match(text, /gateway\.yaml:12:\d+: .*profile: .*did you mean 'generic-milk-meter-modbus'\?/);
  assert.match(text, /gateway\.yaml:13:\d+: .*uid 'a' is taken/);
  assert.match(text, /gateway\.yaml:13:\d+: .*unit 1 is taken on bus 'b'/);
});

test('a misspelt key and an impossible unit', (t) => {
  assert.match(complaint(t, ['{ uid: a, unit: 1, profil: x }']), /unknown key; did you mean 'profile'\?/);
  assert.match(complaint(t, ['{ uid: a, unit: 300, profile: generic-milk-meter-modbus }']), /12:\d+: .*unit/);
});

test('a broker that is not set is named', () => {
  assert.throws(
    () => load('config/gateway.yaml', {}),
    /gateway\.yaml:\d+:\d+: environment variable MQTT_URL is not set/,
  );
});

test('lines: serial, converters, and what is missing', (t) => {
  const devices = ['{ uid: a, profile: generic-milk-meter-modbus }'];
  assert.equal(complaint(t, devices, 'serial: { path: /dev/ttyUSB0, baud: 19200 }'), 'no complaint');
  assert.equal(
    complaint(t, devices, '{ host: h, transport: rtu_tcp }'.slice(2, -2).replace(', ', '\n      ')),
    'no complaint',
  );
  assert.match(complaint(t, devices, 'transport: rtu'), /9:\d+: .*transport rtu needs serial/);
  assert.match(complaint(t, devices, 'transport: tcp'), /transport tcp needs a host/);
  const miscalibrated = '{ uid: a, profile: generic-milk-meter-modbus, calibration: { ph: { offset: 1 } } }';
  assert.match(
    complaint(t, [miscalibrated]),
    /calibration.ph: profile 'generic-milk-meter-modbus' has no metric 'ph'/,
  );
});
