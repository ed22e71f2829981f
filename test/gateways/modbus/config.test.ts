// The gateway's configuration: the shipped file is right, and mistakes are answered with place and remedy.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadGatewayConfig } from '../../../gateways/modbus/config.ts';

test('the shipped configuration polls the demo parlour', () => {
  const config = loadGatewayConfig('config/gateway.yaml', { MQTT_URL: 'mqtt://127.0.0.1' });
  const [bus] = config.buses;
  assert.deepEqual([bus?.host, bus?.port, bus?.devices.length], ['127.0.0.1', 5020, 8]);
  assert.deepEqual([config.mqtt.username, config.mqtt.password], [undefined, undefined]);
  assert.equal(bus?.devices[7]?.uid, 'stall-08');
  assert.equal(bus.devices[0]?.plan.blocks.length, 1);
});

/** Loads a configuration with these devices and returns the complaint. */
function complaint(t: TestContext, devices: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  const lines = [
    'farm: f',
    'uid: gw',
    'mqtt: { url: mqtt://x }',
    `profiles: ${resolve('config/profiles')}`,
    `metrics: ${resolve('config/metrics.yaml')}`,
    'state_file: state.json',
    'buses:',
    '  - name: b',
    '    host: h',
    '    devices:',
    ...devices.map((device) => `      - ${device}`),
  ];
  writeFileSync(file, lines.join('\n'));
  try {
    loadGatewayConfig(file, {});
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
  assert.match(text, /gateway\.yaml:11:\d+: .*profile: .*did you mean 'generic-milk-meter-modbus'\?/);
  assert.match(text, /gateway\.yaml:12:\d+: .*uid 'a' is taken/);
  assert.match(text, /gateway\.yaml:12:\d+: .*unit 1 is taken on bus 'b'/);
});

test('a misspelt key and an impossible unit', (t) => {
  assert.match(complaint(t, ['{ uid: a, unit: 1, profil: x }']), /unknown key; did you mean 'profile'\?/);
  assert.match(complaint(t, ['{ uid: a, unit: 300, profile: generic-milk-meter-modbus }']), /11:\d+: .*unit/);
});

test('a broker that is not set is named', () => {
  assert.throws(
    () => loadGatewayConfig('config/gateway.yaml', {}),
    /gateway\.yaml:\d+:\d+: environment variable MQTT_URL is not set/,
  );
});
