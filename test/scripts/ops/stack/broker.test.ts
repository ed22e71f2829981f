// Accounts at the broker: one a program, each with rights of its own; what lies outside of them is told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { parse } from 'yaml';
import { isAccount, parseAccounts } from '../../../../connector/sources/password-file.ts';
import { brokerAccounts } from '../../../../scripts/ops/stack/broker-accounts.ts';
import { brokerWarnings } from '../../../../scripts/ops/stack/broker-warnings.ts';
import { covers, outsideAcl } from '../../../../scripts/ops/stack/broker-acl.ts';
import { newSecrets, openInstance, readSettings } from '../../../../scripts/ops/stack/instance.ts';
import { aclFile, passwordFile } from '../../../../scripts/ops/stack/mosquitto-config.ts';
import type { Settings } from '../../../../scripts/ops/stack/types.ts';
import { stackEnv } from '../../../support/stack.ts';

const secrets = newSecrets();
const accounts = brokerAccounts(secrets);

test('every program has an account, a secret and a line of its own', () => {
  const all = Object.values(accounts);
  assert.equal(new Set(all.map(({ username }) => username)).size, all.length);
  assert.equal(new Set(all.map(({ password }) => password)).size, all.length);
  const file = parseAccounts(passwordFile(secrets, ['people', 'connector', 'gateway']));
  assert.deepEqual([...file.keys()], ['smart_dairy', 'smart-dairy-connector', 'gateway-farm1-parlour-gw']);
  assert.ok(isAccount(file, accounts.gateway.username, accounts.gateway.password));
  assert.ok(!isAccount(file, accounts.gateway.username, accounts.connector.password));
  assert.ok(!isAccount(file, 'simulator', accounts.simulator.password));
  assert.throws(() => parseAccounts('someone:plain'), /passwords:1: no line as mosquitto_passwd writes it/);
});

test('the configuration as it is delivered has no warning, and a broker inside the connector no rights to look at', () => {
  const settings = { secrets } as Settings;
  assert.deepEqual(brokerWarnings(settings, 'real'), []);
  assert.deepEqual(brokerWarnings(settings, 'embedded'), []);
  assert.deepEqual(brokerWarnings(undefined, 'docker'), []);
});

test('a topic template of connector.yaml that the ACL lacks is told at a start, unless the broker is inside the connector', () => {
  const settings = { secrets } as Settings;
  const connectorYaml = { mqtt: { topics: [{ template: 'barn/{device_uid}/{message_type}' }] } };
  const [words = '', ...more] = brokerWarnings(settings, 'real', connectorYaml);
  assert.deepEqual(more, []);
  assert.match(words, /'barn\/\{device_uid\}\/\{message_type\}' lies outside/);
  assert.deepEqual(brokerWarnings(settings, 'embedded', connectorYaml), []);
});

test('one filter covers another', () => {
  for (const [given, wanted, expected] of [
    ['dairy/#', 'dairy/+/+/+/data', true],
    ['#', 'barn/+', true],
    ['dairy/+/+/+/commands', 'dairy/+/+/+/commands', true],
    ['dairy/f/#', 'dairy/+/x', false],
    ['dairy/+', 'dairy/#', false],
    ['dairy/+', 'dairy', false],
    ['dairy/a/b', 'dairy/a', false],
  ] as const)
    assert.equal(covers(given, wanted), expected, `${given} ${wanted}`);
});

test('a topic template outside the ACL is told with the lines that are missing; the delivered ones are inside', () => {
  const acl = aclFile(secrets);
  const { mqtt } = parse(readFileSync('config/connector.yaml', 'utf8')) as {
    mqtt: { topics: { template: string }[] };
  };
  const delivered = mqtt.topics.map(({ template }) => template);
  const connector = accounts.connector.username;
  assert.deepEqual(
    outsideAcl(acl, connector, ['dairy/{farm}/{device_type}/{device_uid}/{message_type}']),
    [],
  );
  assert.deepEqual(outsideAcl(acl, connector, delivered), []);
  const [words = '', ...more] = outsideAcl(acl, connector, ['barn/{device_uid}/{message_type}']);
  assert.deepEqual(more, []);
  assert.match(words, /'barn\/\{device_uid\}\/\{message_type\}' lies outside/);
  assert.match(
    words,
    /below 'user smart-dairy-connector': topic read barn\/\+\/\+ and topic write barn\/\+\/commands/,
  );
});

test('at Mosquitto nobody takes over another session or writes what is not theirs', async (t) => {
  const { MQTT_BOUND_URL: url } = stackEnv();
  if (url === undefined) return t.skip('this stack has no Mosquitto');
  const settings = readSettings(openInstance('test'));
  assert.ok(settings);
  const { connector, simulator, gateway } = brokerAccounts(settings.secrets);
  const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
  const first = await connectAsync(url, { ...options, ...connector, clientId: connector.username });
  t.after(() => first.endAsync(true));
  let ended = 0;
  first.on('close', () => ended++);
  const heard: string[] = [];
  first.on('message', (topic) => heard.push(topic));
  await first.subscribeAsync('dairy/#', { qos: 1 });

  // Under the connector's client id, with another account.
  const thief = await connectAsync(url, { ...options, ...simulator, clientId: connector.username });
  t.after(() => thief.endAsync(true));
  await thief.publishAsync('dairy/f/milk_meter/m/data', '{}', { qos: 1 });
  await assert.rejects(
    connectAsync(url, { ...options, username: connector.username, password: simulator.password }, false),
  );
  const edge = await connectAsync(url, { ...options, ...gateway, clientId: gateway.username });
  t.after(() => edge.endAsync(true));
  await assert.rejects(edge.publishAsync('dairy/f/feeder/f-1/commands', '{}', { qos: 1 }), /Not authorized/);
  await edge.publishAsync('dairy/f/milk_meter/last/data', '{}', { qos: 1 });
  while (!heard.includes('dairy/f/milk_meter/last/data')) await new Promise((next) => setTimeout(next, 20));
  assert.ok(heard.includes('dairy/f/milk_meter/m/data'));
  assert.ok(!heard.some((topic) => topic.endsWith('/commands')));
  assert.equal(ended, 0);
});
