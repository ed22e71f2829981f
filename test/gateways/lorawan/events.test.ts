// ChirpStack events to envelopes and states: the golden shapes, and what proto3 leaves out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { profileProblems, profileSchema } from '../../../contract/profile.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { readEvent } from '../../../gateways/lorawan/events.ts';
import { interpret } from '../../../gateways/lorawan/interpret.ts';
import type { Said } from '../../../gateways/lorawan/uplink.ts';
import { toModel } from '../../../gateways/lorawan/model.ts';

const metrics = loadMetrics('config/metrics.yaml');
const profiles = loadProfiles('config/profiles', metrics);
const arrivedAt = Date.parse('2026-11-20T06:00:00Z');
const info = {
  tenantId: '52f14cd4-c6f1-4fbd-8f87-4025e1d49242',
  applicationId: '17c82e96-be03-4f38-aef3-f83d48582d97',
  deviceProfileName: 'Dragino LHT65',
  deviceName: 'Barn north',
  devEui: 'A84041000181AF4F',
};
const up = {
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
  time: '2026-11-20T05:34:15.775023242+00:00',
  deviceInfo: info,
  fCnt: 7,
  fPort: 2,
  data: Buffer.from('CBF60B0D0376010ADD7FFF', 'hex').toString('base64'),
  rxInfo: [
    { gatewayId: '0016c001f153a14c', rssi: -97, snr: 4.2 },
    { gatewayId: '0016c001f153a14d', rssi: -57, snr: 10 },
  ],
};

function say(kind: string, body: unknown, name?: string): Said {
  const profile = profiles.get(name ?? '');
  const model = profile === undefined ? undefined : toModel(profile, 1.03);
  const event = readEvent(kind, body);
  assert.ok(typeof event === 'object', JSON.stringify(event));
  return interpret(event, { model, arrivedAt });
}

test('an uplink becomes an envelope with the best receiver', () => {
  assert.deepEqual(say('up', up, 'dragino-lht65'), {
    envelope: {
      v: 1,
      at: '2026-11-20T05:34:15.775Z',
      id: up.deduplicationId,
      points: [
        { m: 'battery_voltage', v: 3.062 },
        { m: 'temperature', v: 28.29 },
        { m: 'humidity', v: 88.6 },
        { m: 'external_temperature', v: 27.81 },
        { m: 'snr', v: 10 },
      ],
      rssi: -57,
    },
    state: { state: 'online' },
  });
});

test('what is left out is 0, false or empty', () => {
  const event = readEvent('up', { deviceInfo: { devEui: info.devEui } });
  assert.ok(typeof event === 'object' && event.kind === 'up');
  assert.equal(event.body.fPort, 0);
  assert.equal(event.key, '');
  assert.deepEqual(say('up', { deviceInfo: { devEui: info.devEui }, rxInfo: [{}] }), {
    envelope: { v: 1, at: '2026-11-20T06:00:00.000Z', points: [{ m: 'snr', v: 0 }], rssi: 0 },
    state: { state: 'online' },
  });
  assert.equal(say('status', { ...up, margin: 10 }).envelope?.battery, 0);
});

test('a device without a profile appears, and its payload is told', () => {
  const said = say('up', up);
  assert.deepEqual(said.envelope?.points, [{ m: 'snr', v: 10 }]);
  assert.equal(said.envelope.rssi, -57);
  assert.deepEqual(said.state, {
    state: 'degraded',
    detail:
      "no profile for ChirpStack's device profile 'Dragino LHT65'; fPort 2, payload cbf60b0d0376010add7fff",
  });
});

test('a port that the profile does not know is told with its payload', () => {
  const said = say('up', { ...up, fPort: 9 }, 'dragino-lht65');
  assert.equal(said.envelope?.rssi, -57);
  assert.equal(said.state?.detail, 'nothing is known of fPort 9; fPort 9, payload cbf60b0d0376010add7fff');
});

test("nothing of ChirpStack's own codec counts without a profile that states its unit: the fields are told", () => {
  // mA, hPa, and volts of a battery: the names are ours, the units are not.
  const object = { temperature: 21.2, current: 74, pressure: 1012.9, battery: 3.5, mood: {}, constructor: 1 };
  const said = say('up', { ...up, object });
  assert.deepEqual(said.envelope?.points, [{ m: 'snr', v: 10 }]);
  assert.equal(said.envelope.battery, undefined);
  assert.deepEqual(said.state, {
    state: 'degraded',
    detail:
      "no profile for ChirpStack's device profile 'Dragino LHT65'; not stored, because their units are unknown: temperature, current, pressure, battery, mood, constructor; say under lorawan.object of a profile what they are; fPort 2, payload cbf60b0d0376010add7fff",
  });
});

const plug = {
  profile: 'plug',
  device_type: 'energy',
  manufacturer: 'M',
  model: 'X',
  description: 'd',
  lorawan: {
    object: [
      { pointer: '/active_power', metric: 'power', unit: 'W' },
      { pointer: '/current', metric: 'current', unit: 'mA' },
      { pointer: '/voltage', metric: 'voltage', unit: 'V', max: 230 },
      { pointer: '/air/pressure', metric: 'pressure', unit: 'hPa' },
    ],
  },
  samples: [{ name: 's', object: {}, expect: {} }],
};

function sayOfPlug(body: unknown): Said {
  const profile = profileSchema.parse(plug);
  assert.deepEqual(profileProblems(profile, metrics), []);
  const event = readEvent('up', body);
  assert.ok(typeof event === 'object');
  return interpret(event, { model: toModel(profile, 1.03), arrivedAt });
}

test("a profile that states the units takes its values of ChirpStack's codec", () => {
  const object = { active_power: 7, current: 74, voltage: 235.2, socket: 'on', air: { pressure: 1012.9 } };
  assert.deepEqual(sayOfPlug({ ...up, object }), {
    envelope: {
      v: 1,
      at: '2026-11-20T05:34:15.775Z',
      id: up.deduplicationId,
      points: [
        { m: 'power', v: 0.007 },
        { m: 'current', v: 0.074 },
        { m: 'voltage', v: 235.2, q: 1 },
        { m: 'pressure', v: 101.29 },
        { m: 'snr', v: 10 },
      ],
      rssi: -57,
    },
    state: { state: 'online' },
  });
  const unread = sayOfPlug({ ...up, object: { current: 'low', voltage: 229 } });
  assert.deepEqual(
    unread.envelope?.points.map(({ m }) => m),
    ['voltage', 'snr'],
  );
  assert.deepEqual(unread.state, { state: 'degraded', detail: 'no numbers: /current' });
  const other = sayOfPlug({ ...up, object: { humidity: 47 } });
  assert.match(
    other.state?.detail ?? '',
    /^nothing in it that profile 'plug' maps; not stored, .*: humidity; /,
  );
});

test("a LoRaWAN gateway's wrong clock changes nothing: the network server's time counts", () => {
  const wrong = { ...up, time: '1980-01-21T23:17:20.234+00:00' };
  const heard = up.rxInfo.map((reception, index) => ({
    ...reception,
    nsTime: `2026-11-20T05:34:1${index + 6}Z`,
  }));
  const said = say('up', { ...wrong, rxInfo: heard }, 'dragino-lht65');
  assert.equal(said.envelope?.at, '2026-11-20T05:34:16.000Z');
  assert.ok(said.envelope.points.every(({ q }) => q === undefined));
  assert.deepEqual(said.state, { state: 'online' });
  const future = say('up', { ...up, time: '2031-01-01T00:00:00Z', rxInfo: heard }, 'dragino-lht65');
  assert.equal(future.envelope?.at, '2026-11-20T05:34:16.000Z');
});

test('without a time that can be the moment of arrival counts, marked and told', () => {
  for (const time of ['1980-01-21T23:17:20.234+00:00', '2026-11-20T06:02:00Z', 'yesterday']) {
    const said = say('up', { ...up, time }, 'dragino-lht65');
    assert.equal(said.envelope?.at, '2026-11-20T06:00:00.000Z');
    assert.ok(said.envelope.points.every(({ q }) => q === 3));
    assert.equal(
      said.state?.detail,
      `the time ${time} of the LoRaWAN gateway cannot be: the moment of arrival counts`,
    );
  }
});

test('what a reading does not need never costs it', () => {
  const odd = {
    ...up,
    time: 5,
    object: 'no object',
    rxInfo: [{ rssi: 'loud' }],
    deviceInfo: { ...info, tags: { zone: 7 } },
  };
  const said = say('up', odd, 'dragino-lht65');
  assert.equal(said.envelope?.points.length, 4);
});

test('battery, place, join, log and acknowledgements', () => {
  assert.equal(say('status', { ...up, batteryLevel: 92.5 }).envelope?.battery, 92.5);
  assert.deepEqual(say('status', { ...up, externalPowerSource: true }), {});
  assert.deepEqual(say('status', { ...up, batteryLevelUnavailable: true }), {});
  const place = { latitude: 23.8103, longitude: 90.4125, source: 'GEO_RESOLVER_TDOA' };
  assert.deepEqual(say('location', { ...up, location: place }).envelope?.points, [
    { m: 'latitude', v: 23.8103 },
    { m: 'longitude', v: 90.4125 },
  ]);
  assert.deepEqual(say('location', { ...up, location: {} }), {});
  assert.equal(say('join', up).state?.state, 'online');
  assert.deepEqual(say('log', up), {});
  assert.deepEqual(
    say('log', { ...up, level: 'ERROR', code: 'UPLINK_CODEC', description: 'line\n1' }).state,
    {
      state: 'degraded',
      detail: 'ChirpStack: UPLINK_CODEC line 1',
    },
  );
  assert.deepEqual(say('ack', { ...up, acknowledged: true }), {});
  assert.equal(say('ack', { ...up, queueItemId: 'q1' }).state?.detail, 'did not acknowledge downlink q1');
  assert.deepEqual(say('txack', up), {});
});

test('stored values keep their own time, old positions their age', () => {
  const stored = { ...up, fPort: 85, data: Buffer.from('20CE9E74466310015D00', 'hex').toString('base64') };
  assert.equal(say('up', stored, 'milesight-em300-th').envelope?.points[0]?.t, '2022-10-12T08:02:38.000Z');
  const aged = {
    ...up,
    fPort: 18,
    data: Buffer.from('036A558900031D28B901603702', 'hex').toString('base64'),
  };
  const points = say('up', aged, 'abeeway-tracker').envelope?.points;
  const latitude = points?.find(({ m }) => m === 'latitude');
  assert.equal(latitude?.t, '2026-11-20T05:33:51.775Z');
});

test('what is no event is refused with a reason', () => {
  assert.equal(readEvent('toast', {}), "unknown event 'toast'");
  assert.match(JSON.stringify(readEvent('up', null)), /^"event up: \w/);
  assert.match(JSON.stringify(readEvent('up', { deviceInfo: { devEui: 'xyz' } })), /16 hexadecimal digits/);
  assert.match(JSON.stringify(readEvent('up', { ...up, data: 'not base64!' })), /^"event up: data: /);
});
