// config/connector.yaml as shipped, and the answer to each class of mistake in it.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../connector/config/load.ts';
import { AppError } from '../../../contract/errors.ts';
import { parseTopic } from '../../../contract/topics.ts';

const environment = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1/dairy',
  MQTT_URL: 'mqtt://127.0.0.1:1883',
  CONNECTOR_TOKEN: 'sixteen-characters-or-more',
};
const shipped = 'config/connector.yaml';
const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));

/** The complaint about the shipped file with one text replaced. */
function complaint(
  find: string,
  replacement: string,
  variables: Record<string, string> = environment,
): string {
  const text = readFileSync(shipped, 'utf8');
  assert.ok(text.includes(find), `config/connector.yaml has no '${find}' any more`);
  const file = join(folder, 'connector.yaml');
  writeFileSync(
    file,
    text.replace(find, () => replacement),
  );
  try {
    loadConfig(file, variables);
  } catch (error) {
    assert.ok(error instanceof AppError && error.kind === 'invalid');
    return error.message.replaceAll(`${folder}/`, '');
  }
  return 'nothing';
}

/** `file:line:column` of a text of the shipped file. */
function placeOf(text: string): string {
  const before = readFileSync(shipped, 'utf8').split(text)[0]?.split('\n') ?? [];
  return `connector.yaml:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

test('the shipped file loads with the least environment', () => {
  const config = loadConfig(shipped, environment);
  assert.equal(config.database.url, environment.DATABASE_URL);
  assert.equal(config.milk.timezone, 'Asia/Dhaka');
  assert.deepEqual([config.intake.batch_messages, config.intake.batch_ms], [2_000, 20]);
  assert.deepEqual([config.odoo.url, config.odoo.transport], ['', 'auto']);
  assert.equal(config.milk.grades.length, 3);
  assert.equal(loadConfig(shipped, { ...environment, ODOO_URL: 'http://o' }).odoo.url, 'http://o');
});

test('the environment counts through the file alone', () => {
  const { log, mqtt } = loadConfig(shipped, environment);
  assert.deepEqual([log.level, mqtt.embedded_port], ['info', 0]);
  const other = loadConfig(shipped, { ...environment, LOG_LEVEL: 'warn', MQTT_EMBEDDED_PORT: '1884' });
  assert.deepEqual([other.log.level, other.mqtt.embedded_port], ['warn', 1884]);
});

test('the shipped topic shapes, the canonical one first', () => {
  const { templates } = loadConfig(shipped, environment);
  const parse = (topic: string) => {
    const address = parseTopic(topic, templates);
    return typeof address === 'string' ? address : Object.values(address).join(' ');
  };
  assert.equal(parse('dairy/farm2/collar/c1/data'), 'farm2 collar c1 data');
  assert.equal(parse('smartdairy/sensors/milk_meters/m1/data'), 'farm1 milk_meter m1 data');
  assert.equal(parse('smartdairy/gateway/gw1/status'), 'farm1 gateway gw1 status');
});

test('every variable without a fallback is asked for', () => {
  for (const name of Object.keys(environment)) {
    const others = Object.fromEntries(Object.entries(environment).filter(([other]) => other !== name));
    assert.equal(
      complaint('intake:', 'intake:', others),
      `${placeOf(`\${${name}}`)}: environment variable ${name} is not set`,
    );
  }
});

const silence = placeOf('silence_seconds');
const template = "'smartdairy/gateway/{device_uid}/{message_type}'";
const templatePlace = `${placeOf(`template: ${template}`)}: mqtt.topics[1].template: topic template `;
describe('mistakes', () => {
  for (const [name, find, replacement, message] of [
    [
      'misspelt key',
      'silence_seconds:',
      'silence_secnds:',
      `${silence}: milk.silence_secnds: unknown key; did you mean 'silence_seconds'?`,
    ],
    [
      'misspelt section',
      'intake:',
      'intakes:',
      `${placeOf('intake:')}: intakes: unknown key; did you mean 'intake'?`,
    ],
    [
      'wrong type',
      'silence_seconds: 600',
      'silence_seconds: ten minutes',
      `${silence}: milk.silence_seconds: number expected, found "ten minutes"`,
    ],
    [
      'not positive',
      'silence_seconds: 600',
      'silence_seconds: 0',
      `${silence}: milk.silence_seconds: Too small: expected number to be >0`,
    ],
    [
      'wrong choice',
      'unknown_devices: discover',
      'unknown_devices: discovr',
      `${placeOf('unknown_devices')}: intake.unknown_devices: must be one of discover, reject; did you mean 'discover'?`,
    ],
    [
      'wrong device type',
      'type: rfid_reader',
      'type: rfid_raeder',
      `${placeOf('type: rfid_reader')}: devices[1].type: must be one of milk_meter, temperature, collar, feeder, gate, waterer, ph, flow, humidity, pressure, rfid_reader, gateway, energy; did you mean 'rfid_reader'?`,
    ],
    [
      'missing key',
      'uid: parlour-gw, ',
      '',
      `${placeOf('{ farm: farm1, uid: parlour-gw')}: devices[0].uid: is missing (string expected)`,
    ],
    [
      'time zone',
      'Asia/Dhaka',
      'Asia/Daka',
      `${placeOf('timezone')}: milk.timezone: not an IANA time zone such as Asia/Dhaka`,
    ],
    [
      'address of another protocol',
      'http://127.0.0.1:8080',
      'mqtt://127.0.0.1',
      `${placeOf('url: ${CONNECTOR_URL')}: rest.url: Invalid URL`,
    ],
    [
      'template with an unknown placeholder',
      "{device_uid}/{message_type}', farm: farm1, device_type",
      "{uid}/{message_type}', farm: farm1, device_type",
      `${templatePlace}'smartdairy/gateway/{uid}/{message_type}': {uid} is not one of farm, device_type, device_uid, message_type`,
    ],
    [
      'template without device',
      'gateway/{device_uid}',
      'gateway',
      `${templatePlace}'smartdairy/gateway/{message_type}' needs {device_uid}`,
    ],
    [
      'template without device type',
      ', device_type: gateway',
      '',
      `${templatePlace}${template} has no {device_type}: give it a default device_type`,
    ],
    [
      'template with a wildcard',
      'smartdairy/gateway/',
      'smartdairy/+/',
      `${templatePlace}'smartdairy/+/{device_uid}/{message_type}': level '+' is not a plain word`,
    ],
  ] as const) {
    test(name, () => assert.equal(complaint(find, replacement), message));
  }

  test('a token that can be guessed', () => {
    assert.equal(
      complaint('intake:', 'intake:', { ...environment, CONNECTOR_TOKEN: 'short' }),
      `${placeOf('token: ${CONNECTOR_TOKEN}')}: rest.token: needs at least 16 characters; set CONNECTOR_TOKEN`,
    );
  });

  test('broken YAML', () => {
    assert.match(
      complaint('milk:\n', 'milk:\n\t'),
      /^connector\.yaml:\d+:\d+: Tabs are not allowed as indentation/,
    );
  });
});
