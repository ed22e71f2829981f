// Whatever arrives, decoding answers with one of four kinds and data that can be stored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../connector/decode/message.ts';
import { deviceTypes, messageTypes } from '../../../contract/topics.ts';
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
const valid = fc.constantFrom(...samples, { type: 'milk_meter' as const, payload: envelope });

function assertSound(topic: string, payload: Uint8Array): string {
  const decoded = decodeMessage(topic, payload, now, context);
  if (decoded.kind === 'dead') assert.notEqual(decoded.reason, '');
  if (decoded.kind === 'status') assert.ok(!Number.isNaN(new Date(decoded.at).getTime()));
  if (decoded.kind === 'data') {
    const { at, points, session, rfid, animalRef, stall } = decoded.data;
    assert.ok(deviceTypes.includes(decoded.address.deviceType));
    for (const point of points) {
      assert.ok(Number.isFinite(point.value) && context.catalogue.has(point.metric));
      assert.ok(at === undefined ? Number.isNaN(point.time) : Number.isInteger(point.time));
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

const topic = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .tuple(
      fc.constantFrom('farm1', '', '+'),
      fc.constantFrom(...deviceTypes, 'toaster'),
      fc.constantFrom('m1', '#'),
      fc.constantFrom(...messageTypes),
    )
    .map((levels) => ['dairy', ...levels].join('/')),
);
const data = (type: string) => `dairy/farm1/${type}/m1/data`;

test('any bytes on any topic', () => {
  fc.assert(
    fc.property(topic, fc.uint8Array({ maxLength: 200 }), (name, payload) => void assertSound(name, payload)),
    {
      numRuns: 500,
    },
  );
});

test('any JSON on any topic', () => {
  fc.assert(
    fc.property(topic, fc.json(), (name, payload) => void assertSound(name, bytes(payload))),
    { numRuns: 500 },
  );
});

test('valid payloads with one byte changed, left out or doubled', () => {
  fc.assert(
    fc.property(valid, fc.nat(), fc.nat(255), fc.nat(2), ({ type, payload }, at, byte, kind) => {
      const good = bytes(payload);
      const index = at % good.length;
      const middle = [[byte], [], [good[index] ?? 0, good[index] ?? 0]][kind] ?? [];
      assertSound(
        data(type),
        Buffer.concat([good.subarray(0, index), Buffer.from(middle), good.subarray(index + 1)]),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('valid payloads with one value changed to anything', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      1e300,
      -1e300,
      -0,
      1.79e308,
      '1e999',
      '',
      'a\u0000',
      '\ud800',
      'constructor',
      '__proto__',
    ),
  );
  const paths = (value: unknown): (string | number)[][] =>
    typeof value !== 'object' || value === null
      ? [[]]
      : [[], ...Object.entries(value).flatMap(([key, inner]) => paths(inner).map((path) => [key, ...path]))];
  fc.assert(
    fc.property(valid, fc.nat(), anything, ({ type, payload }, at, value) => {
      const all = paths(payload);
      const [...path] = all[at % all.length] ?? [];
      const last = path.pop();
      const copy = structuredClone(payload) as Record<string, unknown>;
      const parent = path.reduce<Record<string, unknown>>(
        (inner, key) => inner[key] as Record<string, unknown>,
        copy,
      );
      if (last !== undefined) parent[last] = value;
      assertSound(data(type), bytes(last === undefined ? JSON.stringify(value) : copy));
    }),
    { numRuns: 2_000 },
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
