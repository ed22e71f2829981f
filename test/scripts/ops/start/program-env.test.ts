// A program gets what its configuration names and its own account, and no other program's secrets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configurationText,
  namedIn,
  programEnv,
  type ProgramName,
} from '../../../../scripts/ops/start/program-env.ts';
import { brokerAccounts } from '../../../../scripts/ops/stack/broker-accounts.ts';
import { newSecrets } from '../../../../scripts/ops/stack/instance.ts';

const secrets = newSecrets();
const accounts = brokerAccounts(secrets);
const given = {
  own: {
    PATH: '/bin',
    HOME: '/root',
    AWS_SECRET_ACCESS_KEY: 'x',
    COLD_STORE_TOKEN: 'mine',
    SMTP_PASSWORD: 'x',
  },
  stack: {
    DATABASE_URL: 'postgres://a:b@h/d',
    MQTT_URL: 'mqtt://people',
    MQTT_BOUND_URL: 'mqtt://programs',
    MQTT_USERNAME: 'smart_dairy',
    MQTT_PASSWORD: secrets.mqtt,
    ODOO_API_KEY: 'key',
    ODOO_PASSWORD: 'of-admin',
    CONNECTOR_TOKEN: 'token',
  },
  more: { SIMULATOR_HTTP_TOKEN: 'sensor', GATEWAY_SPOOL_FILE: '/spool', CONNECTOR_ODOO_SECRET: 'calls' },
  secrets,
};
const envOf = (name: ProgramName, more = '') => programEnv(name, given, configurationText(name) + more);

test('the connector has the database and Odoo, not the password of a person', () => {
  const env = envOf('connector');
  assert.equal(env['DATABASE_URL'], 'postgres://a:b@h/d');
  assert.equal(env['ODOO_API_KEY'], 'key');
  assert.equal(env['CONNECTOR_ODOO_SECRET'], 'calls');
  assert.equal(env['MQTT_URL'], 'mqtt://programs');
  assert.deepEqual([env['MQTT_USERNAME'], env['MQTT_PASSWORD']], Object.values(accounts.connector));
  for (const key of ['ODOO_PASSWORD', 'AWS_SECRET_ACCESS_KEY', 'SIMULATOR_HTTP_TOKEN', 'COLD_STORE_TOKEN'])
    assert.equal(env[key], undefined, key);
});

test('the gateway has two accounts at the broker, what its file names, and nothing of database and Odoo', () => {
  const env = envOf('gateway', '\ntoken: ${COLD_STORE_TOKEN}');
  assert.equal(env['MQTT_USERNAME'], accounts.gateway.username);
  assert.equal(env['CHIRPSTACK_MQTT_USERNAME'], accounts.chirpstack.username);
  assert.equal(env['COLD_STORE_TOKEN'], 'mine');
  assert.equal(env['GATEWAY_SPOOL_FILE'], '/spool');
  for (const key of ['DATABASE_URL', 'ODOO_API_KEY', 'CONNECTOR_TOKEN', 'SMTP_PASSWORD'])
    assert.equal(env[key], undefined, key);
});

test('the simulator has the broker and the token of its sensors', () => {
  assert.deepEqual(Object.keys(envOf('simulator')).sort(), [
    'HOME',
    'MQTT_PASSWORD',
    'MQTT_URL',
    'MQTT_USERNAME',
    'PATH',
    'SIMULATOR_HTTP_TOKEN',
  ]);
});

test('no program gets another one’s password', () => {
  const passwords = (['connector', 'gateway', 'simulator'] as const).map((name) => ({
    name,
    values: new Set(Object.values(envOf(name))),
  }));
  for (const { name, values } of passwords)
    for (const other of ['people', 'connector', 'gateway', 'simulator'] as const)
      assert.equal(values.has(accounts[other].password), other === name, `${name}: ${other}`);
});

test('names are those in braces; $${ stands for itself', () => {
  assert.deepEqual(namedIn('a: ${A}, b: ${B_1:-x}, c: $${C}, d: $D'), ['A', 'B_1']);
});
