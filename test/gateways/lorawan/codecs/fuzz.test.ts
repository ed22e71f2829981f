// Whatever bytes arrive, every codec answers with a reason or with points that can be stored. FUZZ_RUNS sets the long form.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { loadMetrics } from '../../../../contract/runtime/profiles.ts';
import type { Codec } from '../../../../gateways/lorawan/codecs/codec.ts';
import { codecs } from '../../../../gateways/lorawan/codecs/index.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3000);
const catalogue = loadMetrics('config/metrics.yaml');
const ports = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 85, 223];
const samples = [
  'CBF60B0D0376010ADD7FFF',
  '08CD02207FFF0161CD4EDD',
  '0175320367C80004683C',
  '20CE9E74466310015D00',
  '015A706606CF3CF80FA23001AE00DA',
  '0100E202290400270506060308070D62',
  '036A558900001D28B901603702',
  '11403C0F140A8F9600B40E2E4A8035E5A68005',
].map((hex) => Buffer.from(hex, 'hex'));

function assertSound(codec: Codec, fPort: number, bytes: Uint8Array): void {
  const before = Buffer.from(bytes);
  const reading = codec.decode(fPort, bytes);
  assert.deepEqual(Buffer.from(bytes), before, 'the payload stays as it was');
  if (typeof reading === 'string') return assert.notEqual(reading, '');
  for (const { metric, value, time = 0, ageMs = 0 } of reading.points) {
    assert.ok(catalogue.has(metric), metric);
    assert.ok(Number.isFinite(value), `${metric} is ${value}`);
    assert.ok(Number.isSafeInteger(time) && time >= 0 && time <= 8.64e15, `${metric} at ${time}`);
    assert.ok(Number.isSafeInteger(ageMs) && ageMs >= 0, `${metric} ${ageMs} ms ago`);
  }
  const byTime = reading.points.map(({ metric, time }) => `${metric} ${time ?? ''}`);
  const places = byTime.filter((key) => key.startsWith('latitude')).length;
  assert.equal(
    places,
    byTime.filter((key) => key.startsWith('longitude')).length,
    'a position has two halves',
  );
}

for (const codec of codecs) {
  describe(codec.name, () => {
    test('any bytes', () => {
      fc.assert(
        fc.property(fc.constantFrom(...ports), fc.uint8Array({ maxLength: 60 }), (fPort, bytes) => {
          assertSound(codec, fPort, bytes);
        }),
        { numRuns },
      );
    });
    test('samples with bytes changed, cut off or doubled', () => {
      const edits = fc.array(fc.tuple(fc.nat(40), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(
          fc.constantFrom(...ports),
          fc.constantFrom(...samples),
          edits,
          (fPort, sample, changes) => {
            const mutated = changes.reduce((bytes, [at, byte, kind]) => {
              const index = at % Math.max(1, bytes.length);
              const middle = [[byte], [], [bytes[index] ?? 0, byte]][kind] ?? [];
              return Buffer.concat([
                bytes.subarray(0, index),
                Buffer.from(middle),
                bytes.subarray(index + 1),
              ]);
            }, sample);
            assertSound(codec, fPort, mutated);
          },
        ),
        { numRuns },
      );
    });
  });
}
