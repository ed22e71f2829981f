// LoRaWAN models beyond their profiles' own samples: the shared vectors, what is refused and why, notes, names, downlinks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { profileProblems, profileSchema } from '../../../contract/profile.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { codecs } from '../../../gateways/lorawan/codecs/index.ts';
import { findDevice } from '../../../gateways/lorawan/devices.ts';
import { toDownlink } from '../../../gateways/lorawan/downlink.ts';
import { toModel } from '../../../gateways/lorawan/model.ts';

const catalogue = loadMetrics('config/metrics.yaml');
const profiles = loadProfiles('config/profiles', catalogue);
const models = new Map(
  [...profiles.values()].flatMap((profile) => {
    const model = toModel(profile, 1.03);
    return model === undefined ? [] : [[model.name, model] as const];
  }),
);
const modelOf = (name: string) => models.get(name) ?? assert.fail(`there is no profile ${name}`);
const read = (name: string, fPort: number, hex: string) =>
  modelOf(name).read?.(fPort, Buffer.from(hex.replaceAll(' ', ''), 'hex'));

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
      const reading = read(device, fPort, hex);
      assert.ok(typeof reading === 'object', JSON.stringify(reading));
      const found = Object.fromEntries(reading.values.map(({ metric, value }) => [metric, value]));
      for (const [name, value] of Object.entries(expect)) {
        const metric = metricOf[name];
        assert.ok(metric !== undefined, `${name} has no metric`);
        assert.equal(found[metric], value ?? undefined, name);
      }
    });
  }
});

test('every codec has a profile', () => {
  const used = [...profiles.values()].map(({ lorawan }) => lorawan?.codec);
  for (const name of Object.keys(codecs))
    assert.ok(
      used.some((codec) => codec === name),
      name,
    );
});

test('what cannot be read says why', () => {
  for (const [name, fPort, hex, reason] of [
    ['dragino-lht65', 2, 'CBF60B', 'fPort 2: 3 bytes, a multiple of 11 expected'],
    ['dragino-lht65', 9, 'CB', 'nothing is known of fPort 9'],
    ['dragino-trackerd', 4, '015A7066 06CF3CF8 07E8 0D 01 00 00 00', 'fPort 4: the date is none'],
    ['milesight-em300-th', 85, '0367C8', 'cannot be read from byte 0 on (0367c8)'],
    ['elsys-ers', 5, '7F00', 'type 0x7f at byte 0 cannot be read'],
    ['abeeway-tracker', 18, '6A0000000000', 'fPort 18: nothing is known of message type 0x6a'],
    [
      'smart-dairy-collar',
      10,
      '10 40 0A 0F14 0A8F96 00B4',
      'fPort 10: 31 minutes of rumination and 22 of lying in an interval of 10',
    ],
    ['smart-dairy-collar', 10, '20 40 3C 0F14 0A8F96 00B4', 'fPort 10: layout version 2, only 1 is known'],
  ] as const)
    assert.equal(read(name, fPort, hex), reason);
});

test('an alarm and a readable beginning are told', () => {
  const alarm = read('dragino-trackerd', 7, '4FA230');
  assert.ok(typeof alarm === 'object');
  assert.equal(alarm.note, 'alarm: the button was pressed');
  assert.deepEqual(read('milesight-em300-th', 85, '017532 99990102'), {
    values: [{ metric: 'battery', value: 50 }],
    note: 'cannot be read from byte 3 on (99990102)',
  });
});

test('a value that the model cannot measure is marked', () => {
  const { lorawan, ...profile } = profiles.get('milesight-em500-pt100') ?? assert.fail();
  const points = lorawan?.points.map((point) => ({ ...point, min: -20, max: 50 })) ?? [];
  const model = toModel({ ...profile, lorawan: { ...lorawan!, points } }, 1.03);
  assert.deepEqual(model?.read?.(85, Buffer.from('0367F501', 'hex')), {
    values: [{ metric: 'temperature', value: 50.1, quality: 1 }],
  });
});

test('profiles are found by the name of a ChirpStack device profile, a tag before it, and a list before that', () => {
  const settings = {
    mqtt: undefined,
    http: undefined,
    discover: true,
    unknownDeviceType: 'temperature',
    models,
    assigned: new Map([['Barn sensors', modelOf('elsys-ers')]]),
    devices: new Map(),
    metrics: catalogue,
  } as const;
  const found = (deviceProfileName: string, tags = {}) => {
    const info = { devEui: '0011223344556677', applicationId: '', deviceName: '', deviceProfileName, tags };
    const device = findDevice('farm1', info, settings);
    return [device?.model?.name, device?.address.deviceType];
  };
  for (const [deviceProfile, name, type] of [
    ['dragino-lht65', 'dragino-lht65', 'temperature'],
    ['Dragino LHT65N', 'dragino-lht65', 'temperature'],
    ['LHT52 AS923', 'dragino-lht52', 'temperature'],
    ['Dragino TrackerD', 'dragino-trackerd', 'collar'],
    ['Milesight EM300-TH', 'milesight-em300-th', 'temperature'],
    ['EM500-PT100', 'milesight-em500-pt100', 'temperature'],
    ['Elsys ERS CO2', 'elsys-ers', 'temperature'],
    ['Abeeway Compact Tracker', 'abeeway-tracker', 'collar'],
    ['Abeeway Micro Tracker v1', 'abeeway-tracker-v1', 'collar'],
    ['Smart Dairy Collar', 'smart-dairy-collar', 'collar'],
    ['Barn sensors', 'elsys-ers', 'temperature'],
    ['Toaster', undefined, 'temperature'],
    ['constructor', undefined, 'temperature'],
  ] as const)
    assert.deepEqual(found(deviceProfile), [name, type], deviceProfile);
  assert.deepEqual(found('Dragino LHT65N', { profile: 'dragino-trackerd' }), ['dragino-trackerd', 'collar']);
  assert.deepEqual(found('Dragino LHT65N', { device_type: 'gate' }), ['dragino-lht65', 'gate']);
});

test('downlinks', () => {
  const hex = (name: string, command: string, value = 0) => {
    const downlink = toDownlink(modelOf(name).commands, { command, value });
    return typeof downlink === 'string' ? downlink : `${downlink.fPort} ${downlink.bytes.toString('hex')}`;
  };
  assert.equal(hex('dragino-lht65', 'set_interval', 1200), '2 010004b0');
  assert.equal(hex('milesight-em300-th', 'set_interval', 1200), '85 ff03b004');
  assert.equal(hex('abeeway-tracker', 'request_position'), '2 0100');
  assert.equal(hex('smart-dairy-collar', 'set_interval', 30), '10 011e');
  assert.equal(
    hex('smart-dairy-collar', 'set_interval', 121),
    "'set_interval' needs a whole number from 1 to 120 (Minutes between two reports)",
  );
  assert.equal(
    hex('smart-dairy-collar', 'set_intervall'),
    "there is no command 'set_intervall'; did you mean 'set_interval'?",
  );
  for (const { name, commands } of models.values())
    for (const { name: command, min = 0, max = 0 } of commands)
      for (const value of [min, max]) assert.match(hex(name, command, value), /^\d+ ([0-9a-f]{2})+$/);
});

test('mistakes in a lorawan section are named', () => {
  const collar = profiles.get('smart-dairy-collar') ?? assert.fail();
  const command = { name: 'a', description: 'd', f_port: 1, bytes: '01 {u8}', min: 0, max: 255 };
  const problemsOf = (commands: object[], samples: object[] = collar.samples) =>
    profileProblems(
      profileSchema.parse({ ...collar, lorawan: { ...collar.lorawan, commands }, samples }),
      catalogue,
    ).map(({ path, message }) => `${path.join('.')}: ${message}`);
  assert.deepEqual(problemsOf([command]), []);
  assert.deepEqual(problemsOf([{ ...command, max: 256 }]), [
    'lorawan.commands.0.max: the range does not fit into 1 bytes',
  ]);
  assert.deepEqual(problemsOf([{ ...command, bytes: '01' }]), [
    'lorawan.commands.0: a command with a value needs min, max and a place for it in bytes',
  ]);
  assert.deepEqual(problemsOf([command, command]), ["lorawan.commands.1.name: command 'a' exists twice"]);
  assert.deepEqual(problemsOf([], [{ name: 'x', hex: '01', expect: {} }]), [
    'samples.0: an uplink needs f_port and hex',
  ]);
  for (const part of [{ codec: 'dragino-lht56' }, { device_profile: '(' }])
    assert.ok(
      !profileSchema.safeParse({ ...collar, lorawan: { ...collar.lorawan, ...part } }).success,
      JSON.stringify(part),
    );
});
