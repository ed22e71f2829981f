// ChirpStack events to envelopes and states: the golden shapes, and what proto3 leaves out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { interpret, readEvent, type Said } from '../../../gateways/lorawan/events.ts';
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
  return interpret(event, { model, arrivedAt, metrics });
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

test("ChirpStack's own codec counts as far as it uses the catalogue's names", () => {
  const said = say('up', { ...up, object: { temperature: 21.5, humidity: 'wet', mood: 3, constructor: 1 } });
  assert.deepEqual(said.envelope?.points, [
    { m: 'temperature', v: 21.5 },
    { m: 'snr', v: 10 },
  ]);
  assert.deepEqual(said.state, { state: 'online' });
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
  assert.match(JSON.stringify(readEvent('up', null)), /^"event up: /);
  assert.match(JSON.stringify(readEvent('up', { deviceInfo: { devEui: 'xyz' } })), /16 hexadecimal digits/);
  assert.match(JSON.stringify(readEvent('up', { ...up, data: 'not base64!' })), /^"event up: data: /);
});
