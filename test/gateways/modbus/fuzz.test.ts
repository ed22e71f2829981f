// Random and mutated registers: never a crash, never a value of the wrong type. FUZZ_RUNS=1000000 for the long form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { registerTypes, wordOrders } from '../../../contract/profile.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { unrollCounter } from '../../../gateways/modbus/counter.ts';
import { decodeBlocks, decodeRegister, encodeRegister } from '../../../gateways/modbus/decode.ts';
import { planReads, registerWidth } from '../../../gateways/modbus/plan.ts';
import { toReading } from '../../../gateways/modbus/reading.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3000);
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, 0x7fff, 0x8000, 0xffff, 0x7fc0, 0x7f80),
);
const definitions = fc.record({
  type: fc.constantFrom(...registerTypes),
  scale: fc.constantFrom(1, 0.1, 0.001, -1, 1e9),
  offset: fc.constantFrom(0, -40, 1e6),
});

test('registers', () => {
  fc.assert(
    fc.property(
      definitions,
      fc.array(word, { maxLength: 8 }),
      fc.constantFrom(...wordOrders),
      (part, words, order) => {
        const definition = {
          name: 'x',
          table: 'holding' as const,
          address: 0,
          length: 4,
          sentinels: [],
          milking: false,
          write_only: false,
          ...part,
        };
        const value = decodeRegister(definition, words.slice(0, registerWidth(definition)), order);
        if (value === undefined) return;
        const wanted = part.type === 'bool' ? 'boolean' : part.type === 'string' ? 'string' : 'number';
        assert.equal(typeof value, wanted);
        if (typeof value === 'number') assert.ok(Number.isFinite(value));
        if (typeof value !== 'string') {
          const back = encodeRegister(definition, value, order);
          assert.ok(
            typeof back === 'string' || back.every((n) => Number.isInteger(n) && n >= 0 && n <= 0xffff),
          );
        }
      },
    ),
    {
      numRuns,
      // Found by chance once: a float that overflows its scale.
      examples: [[{ type: 'float64', scale: 1e9, offset: 0 }, [0x7fc0, 0, 0, 0], 'ABCD']],
    },
  );
});

const maps = [...loadProfiles('config/profiles', loadMetrics('config/metrics.yaml')).values()].flatMap(
  ({ modbus }) => (modbus === undefined ? [] : [modbus]),
);

test('whole polls of every profile, cut short as well, give valid envelopes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...maps), fc.infiniteStream(word), fc.nat(200), (map, stream, cut) => {
      const blocks = planReads(map).flatMap((plan) => plan.blocks);
      const data = blocks.map(({ length }) => [...stream.take(Math.min(length, cut))]);
      const values = decodeBlocks(map, blocks, data);
      const context = {
        at: 1e12,
        previous: { counters: {} },
        kgPerLitre: 1.03,
        isSession: map.session !== undefined,
      };
      envelopeSchema.parse(toReading({ map, stall: '1', calibration: {} }, values, context).envelope);
    }),
    { numRuns: Math.ceil(numRuns / 5) },
  );
});

test('a counter that rolls over never loses a count', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 30 }), (steps) => {
      let [truth, memory] = [0, unrollCounter(undefined, 0, 65_536)];
      for (const step of steps) {
        truth += step;
        memory = unrollCounter(memory, truth % 65_536, 65_536);
        assert.equal(memory.base + memory.last, truth);
      }
    }),
  );
  assert.deepEqual(unrollCounter({ last: 500, base: 65_536 }, 3, 65_536), { last: 3, base: 0 });
});
