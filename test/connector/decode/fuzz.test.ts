// Whatever arrives, decoding answers with one of four kinds and data that can be stored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../../../connector/decode/message.ts';
import { envelopeSchema } from '../../../contract/envelope.ts';
import {
  compileTopicTemplate,
  deviceTypes,
  isName,
  messageTypes,
  parseTopic,
} from '../../../contract/topics.ts';
import { parseMoment } from '../../../connector/decode/moment.ts';
import { isUsualEnvelope } from '../../../connector/decode/usual-envelope.ts';
import { anyBytes, anyJson, anyValue, fuzz, fuzzRuns, pick } from '../../support/fuzz.ts';
import { bytes, decodeContext, now } from './context.ts';

const context = decodeContext();
const samples = [...context.profiles.values()].flatMap(({ device_type: type, samples: own }) =>
  own.flatMap(({ payload }) => (payload === undefined ? [] : [{ type, payload }])),
);
const envelope = {
  v: 1,
  at: '2026-11-20T05:00:00Z',
  points: [{ m: 'milk_yield', v: 5, t: 1_795_150_000 }],
  animal: { rfid: '050000000000017', id: 'A' },
  session: { id: 's', event: 'record' },
  stall: '3',
};

function assertSound(topic: string, payload: Uint8Array): string {
  const decoded = decodeMessage(topic, payload, now, context);
  if (decoded.kind === 'dead') assert.notEqual(decoded.reason, '');
  if (decoded.kind === 'status') assert.ok(!Number.isNaN(new Date(decoded.at).getTime()));
  if (decoded.kind === 'data') {
    const { at, points, session, rfid, animalRef, stall } = decoded.data;
    assert.ok(deviceTypes.includes(decoded.address.deviceType));
    for (const point of points) {
      assert.ok(Number.isFinite(point.value) && context.catalogue.has(point.metric));
      const isRelative = at === undefined && Number.isNaN(point.time);
      assert.ok(isRelative || Number.isInteger(point.time));
      const { ageMs = 0 } = point;
      assert.ok(Number.isInteger(ageMs) && ageMs >= 0 && ageMs <= context.maxPastMs);
      assert.ok(Number.isInteger(point.quality) && point.quality >= 0 && point.quality <= 32_767);
    }
    assert.ok(at === undefined || (at <= now + context.maxFutureMs && at >= now - context.maxPastMs));
    assert.ok(session === undefined || ['start', 'reading', 'end', 'record'].includes(session.event));
    assert.ok(rfid === undefined || /^\d{15}$/.test(rfid));
    for (const word of [animalRef, stall, session?.id])
      assert.ok(word === undefined || (word !== '' && word.isWellFormed() && !word.includes('\u0000')));
  }
  assert.ok(['data', 'status', 'ignored', 'dead'].includes(decoded.kind));
  return decoded.kind;
}

const data = (type: string) => `dairy/farm1/${type}/m1/data`;
const topics = [
  ...messageTypes.map((type) => `dairy/farm1/milk_meter/m1/${type}`),
  'dairy/farm1/milk_meters/m1/data',
  'smartdairy/sensors/milk_meter/SD-MM-001/data',
  'smartdairy/gateway/gw1/status',
];
const templates = [
  ...context.templates,
  compileTopicTemplate('smartdairy/sensors/{device_type}/{device_uid}/{message_type}', { farm: 'farm1' }),
  compileTopicTemplate('smartdairy/gateway/{device_uid}/{message_type}', {
    farm: 'farm1',
    deviceType: 'gateway',
  }),
];
const envelopes = [envelope, { ...envelope, session: undefined }, { v: 1, at: 1_795_150_000, points: [] }];

for (const { profile: name, device_type: type, samples: own } of context.profiles.values()) {
  const payloads = own.flatMap(({ payload }) => payload ?? []);
  if (payloads.length === 0) continue;
  test(`payloads of profile ${name}: ${fuzzRuns}`, async () => {
    await fuzz(
      (random) => anyJson(random, payloads),
      (bytesOfPayload) => void assertSound(data(type), bytesOfPayload),
    );
  });
}

test(`envelopes: ${fuzzRuns}`, async () => {
  await fuzz(
    (random) => anyJson(random, envelopes),
    (payload) => void assertSound(data('milk_meter'), payload),
  );
});

test(`statuses: ${fuzzRuns}`, async () => {
  const status = { state: 'offline', at: '2026-11-20T05:00:00Z', detail: 'no answer', via: 'gw', devices: 3 };
  await fuzz(
    (random) => anyJson(random, [status]),
    (payload) => void assertSound('dairy/farm1/milk_meter/m1/status', payload),
  );
});

test(`what the fast check of envelopes takes, the schema takes as it is: ${fuzzRuns}`, async () => {
  let taken = 0;
  await fuzz(
    (random) => anyValue(random, envelopes),
    (payload) => {
      const value = JSON.parse(JSON.stringify(payload)) as unknown;
      if (typeof value !== 'object' || value === null || !isUsualEnvelope(value)) return;
      taken++;
      const parsed = envelopeSchema.safeParse(value);
      assert.ok(parsed.success);
      assert.deepEqual(parsed.data, value);
    },
  );
  assert.ok(taken > 0);
});

test(`topics: ${fuzzRuns}`, async () => {
  const words = topics.map((topic) => Buffer.from(topic));
  await fuzz(
    (random) => anyBytes(random, words, 80).toString(),
    (topic) => {
      const address = parseTopic(topic, templates);
      if (typeof address === 'string') return assert.notEqual(address, '');
      assert.ok(isName(address.farm) && isName(address.deviceUid));
      assert.ok(deviceTypes.includes(address.deviceType) && messageTypes.includes(address.messageType));
    },
  );
});

test(`any bytes on any topic: ${fuzzRuns}`, async () => {
  const words = topics.map((topic) => Buffer.from(topic));
  const texts = samples.map(({ payload }) => bytes(payload));
  await fuzz(
    (random) => ({
      topic: random() < 0.5 ? pick(random, topics) : anyBytes(random, words, 80).toString(),
      payload: anyBytes(random, texts, 200),
    }),
    ({ topic, payload }) => void assertSound(topic, payload),
  );
});

test(`moments: ${fuzzRuns}`, async () => {
  const texts = [
    '2026-11-20T05:42:10.123Z',
    '2026-11-20 05:42:10',
    '2026-11-20T05:42:10+06:00',
    '1795150000',
  ].map((text) => Buffer.from(text));
  await fuzz(
    (random) =>
      random() < 0.2 ? (random() - 0.5) * 10 ** (random() * 20) : anyBytes(random, texts, 40).toString(),
    (value) => {
      const moment = parseMoment(value);
      assert.ok(moment === undefined || Number.isInteger(moment), String(moment));
    },
  );
});

test('unchanged they are data', () => {
  for (const { type, payload } of [...samples, { type: 'milk_meter', payload: envelope }])
    assert.equal(assertSound(data(type), bytes(payload)), 'data');
});

test('nesting as deep as a payload can hold, in every place', () => {
  const deep = '['.repeat(120_000) + ']'.repeat(120_000);
  for (const { type, payload } of [...samples, { type: 'milk_meter', payload: envelope }]) {
    for (const key of Object.keys(payload as object)) {
      const text = JSON.stringify({ ...(payload as object), [key]: '@' }).replace('"@"', deep);
      assertSound(data(type), bytes(text));
    }
  }
  assert.equal(assertSound(data('milk_meter'), bytes(deep)), 'dead');
});
