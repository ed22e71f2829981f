// Whatever bytes and events arrive, every LoRaWAN profile and ChirpStack's events say a reason or what can be published.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { statusSchema } from '../../../contract/status.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import type { Codec } from '../../../gateways/lorawan/codecs/codec.ts';
import { codecs } from '../../../gateways/lorawan/codecs/index.ts';
import { eventKinds, readEvent } from '../../../gateways/lorawan/events.ts';
import { interpret } from '../../../gateways/lorawan/interpret.ts';
import { toModel, type Model } from '../../../gateways/lorawan/model.ts';
import { anyBytes, anyValue, below, fuzz, fuzzRuns, pick } from '../../support/fuzz.ts';

const catalogue = loadMetrics('config/metrics.yaml');
const profiles = [...loadProfiles('config/profiles', catalogue).values()];
const isModel = (model: Model | undefined) => model !== undefined;
const models = profiles.map((profile) => toModel(profile, 1.03)).filter(isModel);
const toBytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const payloads = profiles.flatMap(({ samples }) =>
  samples.flatMap(({ hex }) => (hex === undefined ? [] : [toBytes(hex)])),
);
const ports = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 85, 223];

function assertMoment({ time = 0, ageMs = 0 }: { time?: number; ageMs?: number }): void {
  assert.ok(Number.isSafeInteger(time) && time >= 0 && time <= 8.64e15);
  assert.ok(Number.isSafeInteger(ageMs) && ageMs >= 0);
}

/** Fields as declared, whole numbers, positions with both halves. */
function assertFields({ decode, fields: declared }: Codec, fPort: number, bytes: Uint8Array): void {
  const before = Buffer.from(bytes);
  const reading = decode(fPort, bytes);
  assert.ok(before.equals(bytes), 'the payload stays as it was');
  if (typeof reading === 'string') return assert.notEqual(reading, '');
  let halves = 0;
  for (const field of reading.fields) {
    assert.ok(declared.includes(field.field), field.field);
    assert.ok(Number.isSafeInteger(field.value), `${field.field} is ${field.value}`);
    assertMoment(field);
    if (field.field === 'latitude') halves++;
    if (field.field === 'longitude') halves--;
  }
  assert.equal(halves, 0, 'a position has two halves');
}

function assertValues({ read }: Model, fPort: number, bytes: Uint8Array): void {
  const reading = read?.(fPort, bytes) ?? 'no codec';
  if (typeof reading === 'string') return assert.notEqual(reading, '');
  for (const value of reading.values) {
    assert.ok(catalogue.has(value.metric), value.metric);
    assert.ok(Number.isFinite(value.value), `${value.metric} is ${value.value}`);
    assertMoment(value);
  }
}

for (const codec of Object.values(codecs)) {
  const own = profiles.filter(({ lorawan }) => lorawan?.codec === codec.name);
  const ownModels = own.map((profile) => toModel(profile, 1.03)).filter(isModel);
  const ownPayloads = own.flatMap(({ samples }) => samples.map(({ hex = '' }) => toBytes(hex)));
  const ownPorts = own.flatMap(({ samples }) => samples.flatMap(({ f_port: port }) => port ?? []));
  test(`codec ${codec.name}: ${fuzzRuns} payloads`, async () => {
    await fuzz(
      (random) => ({
        fPort: pick(random, random() < 0.8 ? ownPorts : ports),
        bytes: anyBytes(random, random() < 0.8 ? ownPayloads : payloads),
      }),
      ({ fPort, bytes }) => {
        assertFields(codec, fPort, bytes);
        for (const model of ownModels) assertValues(model, fPort, bytes);
      },
    );
  });
}

const deviceInfo = {
  applicationId: '17c82e96-be03-4f38-aef3-f83d48582d97',
  deviceProfileName: 'Dragino LHT65',
  devEui: 'A84041000181AF4F',
  tags: { rfid: '050000000000017' },
};
const event = {
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
  time: '2026-11-20T05:34:15.775023242+00:00',
  deviceInfo,
  fCnt: 7,
  fPort: 2,
  data: Buffer.from('CBF60B0D0376010ADD7FFF', 'hex').toString('base64'),
  object: { temperature: 3.6, humidity: 80 },
  rxInfo: [{ gatewayId: '0016c001f153a14c', rssi: -97, snr: 4.2 }],
  batteryLevel: 92.5,
  location: { latitude: 23.8103, longitude: 90.4125 },
  queueItemId: 'q1',
  acknowledged: true,
  level: 'ERROR',
  code: 'UPLINK_CODEC',
  description: 'line\n1',
};

test(`ChirpStack events: ${fuzzRuns} bodies`, async () => {
  await fuzz(
    (random) => {
      const data = anyBytes(random, payloads).toString('base64');
      const fPort = pick(random, ports);
      return {
        kind: pick(random, eventKinds),
        body: anyValue(random, [event, { ...event, data, fPort }, { ...event, data, fPort, object: null }]),
        model: below(random, models.length + 1),
      };
    },
    ({ kind, body, model }) => {
      const read = readEvent(kind, JSON.parse(JSON.stringify(body)));
      if (typeof read === 'string') return assert.notEqual(read, '');
      const said = interpret(read, { model: models[model], arrivedAt: 1.8e12 });
      if (said.envelope !== undefined) {
        const envelope = envelopeSchema.parse(JSON.parse(JSON.stringify(said.envelope)));
        for (const { m } of envelope.points) assert.ok(catalogue.has(m), m);
      }
      if (said.state !== undefined) statusSchema.parse(said.state);
    },
  );
});
