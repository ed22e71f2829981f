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

describe('keys that contradict each other', () => {
  const afterTopics = 'intake:\n';
  const topics = (...templates: string[]) =>
    complaint(
      afterTopics,
      templates.map((text) => `    - { template: '${text}', farm: farm1, device_type: gate }\n`).join('') +
        afterTopics,
    ).replace(/^connector.yaml:\d+:\d+: /, '');
  const cases: [string, string, string, string][] = [
    [
      'quarter hours kept shorter than readings',
      'fifteen_minute_days: 180',
      'fifteen_minute_days: 89',
      'storage.fifteen_minute_days: 89 is less than storage.raw_days, 90; at least as many days',
    ],
    [
      'hours kept shorter than quarter hours',
      'hourly_days: 365',
      'hourly_days: 179',
      'storage.hourly_days: 179 is less than storage.fifteen_minute_days, 180; at least as many days',
    ],
    [
      'later than readings are kept',
      'unknown_devices: discover',
      'max_past_days: 91',
      'intake.max_past_days: 91 is more than storage.raw_days, 90: such readings would be dropped at once',
    ],
    [
      'midday after evening',
      'silence_seconds: 600',
      'midday_hour: 15',
      'milk.midday_hour: 15 is not before milk.evening_hour, 15',
    ],
    [
      'limits of cells',
      'silence_seconds: 600',
      'alerts: { scc_high: 300000 }',
      'milk.alerts.scc_medium: 400000 is more than milk.alerts.scc_high, 300000',
    ],
    [
      'best grade last',
      'silence_seconds: 600',
      'grades: [{ grade: B, fat: 3, protein: 3 }, { grade: A, fat: 4, protein: 3 }]',
      "milk.grades[1]: grade 'A' asks for more than 'B' before it; best first",
    ],
    [
      'grade twice',
      'silence_seconds: 600',
      'grades: [{ grade: B, fat: 3, protein: 3 }, { grade: B, fat: 2, protein: 3 }]',
      "milk.grades[1].grade: grade 'B' stands here twice",
    ],
    [
      'log without brokers',
      'unknown_devices: discover',
      'source: kafka',
      'intake.source: intake.source: kafka needs kafka.brokers: host:port, with commas between',
    ],
    [
      'device listed twice',
      'uid: parlour-rfid',
      'uid: parlour-gw',
      "devices[1].uid: device 'parlour-gw' of farm 'farm1' is listed twice; first as devices[0]",
    ],
    [
      'device that no topic can carry',
      'uid: parlour-rfid',
      "uid: 'parlour/rfid'",
      'devices[1].uid: no topic can carry it: letters, digits, . _ : -, at most 64',
    ],
    [
      'farm that no topic can carry',
      'farm: farm1, uid: parlour-rfid',
      'farm: farm 1, uid: parlour-rfid',
      'devices[1].farm: no topic can carry it: letters, digits, . _ : -, at most 64',
    ],
  ];
  for (const [name, find, replacement, message] of cases)
    test(name, () => {
      const told = complaint(find, replacement);
      assert.match(told, /^connector\.yaml:\d+:\d+: /);
      assert.equal(told.replace(/^\S+ /, ''), message);
    });

  test('two devices of one uid on two farms, and a farm with leading zeros', () => {
    assert.equal(complaint('farm: farm1, uid: parlour-rfid', 'farm: 0012, uid: parlour-gw'), 'nothing');
  });

  test('topic templates that take the same topics', () => {
    const second = 'barn/{farm}/{device_uid}';
    assert.equal(
      topics(second, second),
      `mqtt.topics[3].template: topic template '${second}' never fits: '${second}' stands before it and takes its topics`,
    );
    assert.equal(
      topics('dairy/{farm}/gate/{device_uid}/data'),
      "mqtt.topics[2].template: topic template 'dairy/{farm}/gate/{device_uid}/data' never fits: 'dairy/{farm}/{device_type}/{device_uid}/{message_type}' stands before it and takes its topics",
    );
    assert.equal(
      topics('barn/{device_uid}/gate', 'barn/north/{device_uid}'),
      "mqtt.topics[3].template: topic template 'barn/north/{device_uid}' is ambiguous: some topics fit 'barn/{device_uid}/gate' too; make a level of one of them a word",
    );
    // The narrower one first, another length, another word, a word that is no device type: told apart.
    assert.equal(
      topics('barn/gate/{device_uid}', 'barn/{farm}/{device_uid}', 'barn/{device_uid}'),
      'nothing',
    );
    assert.equal(topics('x/{device_type}/{device_uid}', 'x/north/{device_uid}'), 'nothing');
  });

  test('all of them are told at once', () => {
    assert.equal(complaint('raw_days: 90', 'raw_days: 400').split('\n').length, 1);
    assert.equal(
      complaint(
        'raw_days: 90\n  fifteen_minute_days: 180\n  hourly_days: 365',
        'raw_days: 30\n  fifteen_minute_days: 20\n  hourly_days: 10',
      ).split('\n').length,
      3,
    );
  });
});
