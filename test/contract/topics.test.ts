// Topics: templates, spellings, and every reason why one is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  buildTopic,
  canonicalTemplate,
  compileTopicTemplate,
  deviceTypes,
  messageTypes,
  parseTopic,
  toDeviceType,
  topicFilter,
} from '../../contract/topics.ts';

const canonical = compileTopicTemplate(canonicalTemplate);
const templates = [
  canonical,
  compileTopicTemplate('smartdairy/sensors/{device_type}/{device_uid}/{message_type}', { farm: 'farm1' }),
  compileTopicTemplate('smartdairy/gateway/{device_uid}', { farm: 'farm1', deviceType: 'gateway' }),
];

const nameStart = 'ABCXYZabcxyz0189'.split('');
const nameRest = [...nameStart, '.', '_', ':', '-'];
const name = fc
  .tuple(fc.constantFrom(...nameStart), fc.string({ unit: fc.constantFrom(...nameRest), maxLength: 63 }))
  .map(([first, rest]) => first + rest);
const address = fc.record(
  {
    farm: name,
    deviceType: fc.constantFrom(...deviceTypes),
    deviceUid: name,
    messageType: fc.constantFrom(...messageTypes),
  },
  { noNullPrototype: true },
);

test('what was built parses to the same address', () => {
  fc.assert(
    fc.property(address, (given) => assert.deepEqual(parseTopic(buildTopic(given), templates), given)),
  );
});

test('any topic parses to an address that could be built, or to a reason', () => {
  const level = fc.oneof(name, fc.string(), fc.constantFrom('dairy', 'data', ...deviceTypes, '+', '#', ''));
  fc.assert(
    fc.property(fc.array(level, { maxLength: 7 }), (levels) => {
      const parsed = parseTopic(levels.join('/'), templates);
      if (typeof parsed === 'string') assert.notEqual(parsed, '');
      else assert.deepEqual(parseTopic(buildTopic(parsed), [canonical]), parsed);
    }),
  );
});

describe('the first template that fits decides', () => {
  for (const [topic, expected] of [
    ['smartdairy/sensors/milk_meters/m1/data', ['farm1', 'milk_meter', 'm1', 'data']],
    ['smartdairy/sensors/collar/C-9/status', ['farm1', 'collar', 'C-9', 'status']],
    ['smartdairy/gateway/gw1', ['farm1', 'gateway', 'gw1', 'data']],
    ['dairy/farm2/temperatures/t:1/commands', ['farm2', 'temperature', 't:1', 'commands']],
  ] as const) {
    test(topic, () => {
      const [farm, deviceType, deviceUid, messageType] = expected;
      assert.deepEqual(parseTopic(topic, templates), { farm, deviceType, deviceUid, messageType });
    });
  }
});

describe('a refused topic says why', () => {
  const tooLong = 'x'.repeat(65);
  for (const [topic, reason] of [
    ['', "no topic template fits ''"],
    ['dairy/farm1/milk_meter/m1', "no topic template fits 'dairy/farm1/milk_meter/m1'"],
    ['other/farm1/milk_meter/m1/data', "no topic template fits 'other/farm1/milk_meter/m1/data'"],
    ['dairy/farm1/toaster/m1/data', "topic 'dairy/farm1/toaster/m1/data': unknown device type 'toaster'"],
    [
      'dairy/farm1/constructor/m1/data',
      "topic 'dairy/farm1/constructor/m1/data': unknown device type 'constructor'",
    ],
    [
      'dairy/farm1/__proto__/m1/data',
      "topic 'dairy/farm1/__proto__/m1/data': unknown device type '__proto__'",
    ],
    ['dairy/farm1/collar/m1/dataa', "topic 'dairy/farm1/collar/m1/dataa': unknown message type 'dataa'"],
    [
      'dairy//collar/m1/data',
      "topic 'dairy//collar/m1/data': '' is not a farm code (letters, digits, . _ : -, at most 64)",
    ],
    ...['+', '#', '', ' ', 'a b', '-a', 'ü', 'a\n', 'a\u0000', tooLong].map((uid) => [
      `dairy/farm1/collar/${uid}/data`,
      `topic 'dairy/farm1/collar/${uid}/data': '${uid}' is not a device uid (letters, digits, . _ : -, at most 64)`,
    ]),
  ] as [string, string][]) {
    test(JSON.stringify(topic), () => assert.equal(parseTopic(topic, templates), reason));
  }
});

describe('a wrong template says which part is wrong', () => {
  for (const [template, message] of [
    ['', "topic template '': level '' is not a plain word"],
    ['/a/{device_uid}', "topic template '/a/{device_uid}': level '' is not a plain word"],
    ['a/+/{device_uid}', "topic template 'a/+/{device_uid}': level '+' is not a plain word"],
    ['a/x{device_uid}', "topic template 'a/x{device_uid}': level 'x{device_uid}' is not a plain word"],
    ['a/{uid}', "topic template 'a/{uid}': {uid} is not one of farm, device_type, device_uid, message_type"],
    ['a/{farm}/{device_type}', "topic template 'a/{farm}/{device_type}' needs {device_uid}"],
    ['a/{device_uid}/{device_uid}', "topic template 'a/{device_uid}/{device_uid}' has {device_uid} twice"],
    [
      'a/{device_type}/{device_uid}',
      "topic template 'a/{device_type}/{device_uid}' has no {farm}: give it a default farm",
    ],
    [
      'a/{farm}/{device_uid}',
      "topic template 'a/{farm}/{device_uid}' has no {device_type}: give it a default device_type",
    ],
  ] as const) {
    test(template, () => assert.throws(() => compileTopicTemplate(template), { message }));
  }
  test('default farm', () => {
    assert.throws(() => compileTopicTemplate('a/{device_type}/{device_uid}', { farm: 'my/farm' }), {
      message:
        "topic template 'a/{device_type}/{device_uid}': 'my/farm' is not a farm code (letters, digits, . _ : -, at most 64)",
    });
  });
});

test('a template’s subscription filter', () => {
  assert.deepEqual(templates.map(topicFilter), [
    'dairy/+/+/+/+',
    'smartdairy/sensors/+/+/+',
    'smartdairy/gateway/+',
  ]);
});

test('device types by their own names and the documents’ spellings', () => {
  for (const type of deviceTypes) assert.equal(toDeviceType(type), type);
  for (const [word, type] of [
    ['milk_meters', 'milk_meter'],
    ['milkmeter', 'milk_meter'],
    ['temperatures', 'temperature'],
    ['collars', 'collar'],
    ['feeders', 'feeder'],
    ['gates', 'gate'],
    ['waterers', 'waterer'],
    ['ph_sensor', 'ph'],
    ['flow_sensor', 'flow'],
    ['rfid_readers', 'rfid_reader'],
    ['gateways', 'gateway'],
  ] as const) {
    assert.equal(toDeviceType(word), type);
  }
  for (const word of ['', 'MILK_METER', 'toString', 'hasOwnProperty', '__proto__'])
    assert.equal(toDeviceType(word), undefined);
});
