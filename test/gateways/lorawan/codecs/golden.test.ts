// Every codec against recorded payloads: the shared vectors, the vendors' published examples, and cases by the manual.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { loadMetrics } from '../../../../contract/runtime/profiles.ts';
import type { CodecPoint } from '../../../../gateways/lorawan/codecs/codec.ts';
import { codecByName, codecForProfile, codecs } from '../../../../gateways/lorawan/codecs/index.ts';

const catalogue = loadMetrics('config/metrics.yaml');

function decode(name: string, fPort: number, hex: string) {
  const codec = codecByName(name);
  assert.ok(codec, `there is no codec ${name}`);
  return codec.decode(fPort, Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}
const values = (points: readonly CodecPoint[]) =>
  Object.fromEntries(points.map(({ metric, value }) => [metric, Number(value.toFixed(7))]));

/** The vectors' words for what the catalogue calls differently. */
const metricOf: Readonly<Record<string, string>> = {
  battery_v: 'battery_voltage',
  battery_pct: 'battery',
  temperature_c: 'temperature',
  external_temperature_c: 'external_temperature',
  humidity_pct: 'humidity',
  latitude: 'latitude',
  longitude: 'longitude',
};
interface Vector {
  device: string;
  fPort: number;
  hex: string;
  expect: Record<string, number | null>;
}
const { vectors } = JSON.parse(readFileSync('test/golden/lorawan.json', 'utf8')) as { vectors: Vector[] };

describe('shared vectors', () => {
  for (const { device, fPort, hex, expect } of vectors) {
    test(device, () => {
      const reading = decode(device, fPort, hex);
      assert.ok(typeof reading === 'object', JSON.stringify(reading));
      const found = values(reading.points);
      for (const [name, value] of Object.entries(expect)) {
        const metric = metricOf[name];
        assert.ok(metric !== undefined, `${name} has no metric`);
        if (value === null) assert.equal(found[metric], undefined, name);
        else assert.equal(found[metric], value, name);
      }
    });
  }
});

type Golden = [title: string, fPort: number, hex: string, expected: Record<string, number> | string];
const golden: Readonly<Record<string, readonly Golden[]>> = {
  'dragino-lht65': [
    [
      'below zero',
      2,
      'CBF6 FC18 0376 01 FC18 7FFF',
      { battery_voltage: 3.062, temperature: -10, humidity: 88.6, external_temperature: -10 },
    ],
    [
      'probe missing',
      2,
      'CBF6 0B0D 0376 01 7FFF 7FFF',
      { battery_voltage: 3.062, temperature: 28.29, humidity: 88.6 },
    ],
    [
      'light',
      2,
      'CBF6 0B0D 0376 05 0123 7FFF',
      { battery_voltage: 3.062, temperature: 28.29, humidity: 88.6, illuminance: 291 },
    ],
    [
      'no battery where the probe is',
      2,
      '0ADD 0B0D C376 09 61CD4EDD',
      { external_temperature: 27.81, temperature: 28.29, humidity: 88.6 },
    ],
    ['status', 5, '0B 0100 01 FF 0BB8', { battery_voltage: 3 }],
    ['too short', 2, 'CBF60B', 'fPort 2: 3 bytes, a multiple of 11 expected'],
    ['unknown port', 9, 'CB', 'nothing is known of fPort 9'],
  ],
  'dragino-lht52': [
    [
      'probe',
      2,
      '08CD 0220 F830 01 61CD4EDD',
      { temperature: 22.53, humidity: 54.4, external_temperature: -20 },
    ],
    ['status', 5, '09 0100 01 FF 0BB8', { battery_voltage: 3 }],
  ],
  'dragino-trackerd': [
    [
      'no fix',
      2,
      '00000000 00000000 0FA2 30 01AE 00DA',
      { battery_voltage: 4.002, humidity: 43, temperature: 21.8 },
    ],
    [
      'south west, no climate',
      3,
      'FEA58F9A F930C308 0FA2 30',
      { latitude: -22.70423, longitude: -114.244856, battery_voltage: 4.002 },
    ],
    ['alarm', 7, '4FA2 30', { battery_voltage: 4.002 }],
    ['no date', 4, '015A7066 06CF3CF8 07E8 0D 01 00 00 00', 'fPort 4: the date is none'],
  ],
  'milesight-em300-th': [
    ['published example', 85, '01755C 03673401 046865', { battery: 92, temperature: 30.8, humidity: 50.5 }],
    ['below zero', 85, '0367 9CFF', { temperature: -10 }],
    [
      'after joining',
      85,
      'FF0BFF FF0101 FF166136C40091605408 FF090300 FF0A0101 FF0F00 0367C800',
      { temperature: 20 },
    ],
    ['cut off', 85, '0367C8', 'cannot be read from byte 0 on (0367c8)'],
  ],
  'milesight-em500-pt100': [
    ['published example', 85, '017564 03671901', { battery: 100, temperature: 28.1 }],
    ['alarm', 85, '83D7 1901 0500 01', { temperature: 28.1 }],
  ],
  'elsys-ers': [
    [
      'published example',
      5,
      '0100E2 0229 040027 0506 060308 070D62',
      { temperature: 22.6, humidity: 41, illuminance: 39, motion: 6, co2: 776, battery_voltage: 3.426 },
    ],
    ['below zero with a probe', 5, '01FFB3 0CFF9C', { temperature: -7.7, external_temperature: -10 }],
    [
      'pressure and position',
      5,
      '14000F7314 09 07 7777 FEE000',
      { pressure: 101.25, latitude: 48.9335, longitude: -7.3728 },
    ],
    ['unknown type', 5, '7F00', 'type 0x7f at byte 0 cannot be read'],
  ],
  'abeeway-tracker': [
    [
      'position',
      18,
      '036A5589 00001D28B901603702',
      { battery: 85, temperature: 25.3, latitude: 48.9208064, longitude: 2.3082752 },
    ],
    [
      'published example: a voltage is no percentage',
      18,
      '036AC189 00001D28B901603702',
      { temperature: 25.3, latitude: 48.9208064, longitude: 2.3082752 },
    ],
    ['published event', 18, '0A00F9860000', { temperature: 23.8 }],
    ['position without fix', 18, '036A5589 0110', { battery: 85, temperature: 25.3 }],
    ['unknown type', 18, '6A0000000000', 'fPort 18: nothing is known of message type 0x6a'],
  ],
  'abeeway-tracker-v1': [
    [
      'published example',
      18,
      '036AC189 00001D28B901603702',
      { battery_voltage: 3.862, temperature: 25.3, latitude: 48.9208064, longitude: 2.3082752 },
    ],
  ],
  'smart-dairy-collar': [
    [
      'report',
      10,
      '10 40 3C 0F14 0A8F96 00B4',
      { battery: 64, body_temperature: 38.6, activity: 42, rumination: 31, lying: 22, steps: 180 },
    ],
    [
      'with position',
      10,
      '11 40 3C 0F14 0A8F96 00B4 0E3129D8 35E3DA48 05',
      {
        battery: 64,
        body_temperature: 38.6,
        activity: 42,
        rumination: 31,
        lying: 22,
        steps: 180,
        latitude: 23.8103,
        longitude: 90.4125,
      },
    ],
    ['nothing measured', 10, '10 FF 3C 7FFF FFFFFF FFFF', {}],
    [
      'more lying than time',
      10,
      '10 40 0A 0F14 0A8F96 00B4',
      'fPort 10: 31 minutes of rumination and 22 of lying in an interval of 10',
    ],
    ['another version', 10, '20 40 3C 0F14 0A8F96 00B4', 'fPort 10: layout version 2, only 1 is known'],
  ],
};

for (const [name, cases] of Object.entries(golden)) {
  describe(name, () => {
    for (const [title, fPort, hex, expected] of cases) {
      test(title, () => {
        const reading = decode(name, fPort, hex);
        assert.deepEqual(typeof reading === 'string' ? reading : values(reading.points), expected);
      });
    }
  });
}

test('every codec has golden samples, and metrics of the catalogue only', () => {
  for (const { name } of codecs) assert.ok(Object.hasOwn(golden, name), name);
  for (const cases of Object.values(golden))
    for (const [, , , expected] of cases)
      if (typeof expected === 'object')
        for (const metric of Object.keys(expected)) assert.ok(catalogue.has(metric), metric);
});

test('stored records have the device’s own time', () => {
  const history = decode('milesight-em300-th', 85, '20CE9E74466310015D00');
  const time = 1_665_561_758_000;
  assert.deepEqual(history, {
    points: [
      { metric: 'temperature', value: 27.2, time },
      { metric: 'humidity', value: 46.5, time },
    ],
  });
  const polled = decode('dragino-lht65', 2, '0ADD 0B0D C376 41 61CD4EDD');
  assert.ok(typeof polled === 'object' && polled.points.every((point) => point.time === 1_640_845_021_000));
  assert.equal(polled.points.length, 3);
  const collar = decode('smart-dairy-collar', 10, '12 40 3C 0F14 0A8F96 00B4 61CD4EDD');
  assert.ok(typeof collar === 'object' && collar.points.every((point) => point.time === 1_640_845_021_000));
});

test('an alarm and a readable beginning are told', () => {
  const alarm = decode('dragino-trackerd', 7, '4FA230');
  assert.ok(typeof alarm === 'object');
  assert.equal(alarm.note, 'alarm: the button was pressed');
  const partly = decode('milesight-em300-th', 85, '017532 99990102');
  assert.deepEqual(partly, {
    points: [{ metric: 'battery', value: 50 }],
    note: 'cannot be read from byte 3 on (99990102)',
  });
});

test('codecs are found by the name of a ChirpStack device profile', () => {
  for (const [profile, codec] of [
    ['dragino-lht65', 'dragino-lht65'],
    ['Dragino LHT65N', 'dragino-lht65'],
    ['LHT52 AS923', 'dragino-lht52'],
    ['Dragino TrackerD', 'dragino-trackerd'],
    ['Milesight EM300-TH', 'milesight-em300-th'],
    ['EM500-PT100', 'milesight-em500-pt100'],
    ['Elsys ERS CO2', 'elsys-ers'],
    ['Abeeway Compact Tracker', 'abeeway-tracker'],
    ['Abeeway Micro Tracker v1', 'abeeway-tracker-v1'],
    ['Smart Dairy Collar', 'smart-dairy-collar'],
    ['Toaster', undefined],
    ['constructor', undefined],
  ] as const)
    assert.equal(codecForProfile(profile)?.name, codec, profile);
});

test('downlinks', () => {
  const hex = (codec: string, command: string, value: number) => {
    const { fPort, bytes } = codecByName(codec)?.commands?.[command]?.encode(value) ?? {
      fPort: -1,
      bytes: [],
    };
    return `${fPort} ${Buffer.from(bytes).toString('hex')}`;
  };
  assert.equal(hex('dragino-lht65', 'set_interval', 1200), '2 010004b0');
  assert.equal(hex('milesight-em300-th', 'set_interval', 1200), '85 ff03b004');
  assert.equal(hex('abeeway-tracker', 'request_position', 0), '2 0100');
  assert.equal(hex('smart-dairy-collar', 'set_interval', 30), '10 011e');
});
