// Random and mutated registers and whole polls: never a crash, never a value of the wrong type.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { registerTypes, wordOrders, type RegisterDefinition } from '../../../contract/profile/modbus.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { unrollCounter } from '../../../gateways/modbus/counter.ts';
import { decodeBlocks, decodeRegister, encodeRegister } from '../../../gateways/modbus/decode.ts';
import { planReads, registerWidth } from '../../../gateways/modbus/plan.ts';
import { toReading } from '../../../gateways/modbus/reading.ts';
import type { Random } from '../../../scripts/dev/simulator/random.ts';
import { below, fuzz, fuzzRuns, pick } from '../../support/fuzz.ts';

const edges = [0, 1, 0x7fff, 0x8000, 0xffff, 0x7fc0, 0x7f80, 0xff80, 0x9999, 0x999a, 0x4e41];
const anyWord = (random: Random) => (random() < 0.4 ? pick(random, edges) : below(random, 0x1_0000));
const flip = (random: Random, words: readonly number[]) =>
  words.map((word) => (random() < 0.3 ? word ^ (1 << below(random, 16)) : word));

function anyDefinition(random: Random, type: RegisterDefinition['type']): RegisterDefinition {
  const hasBits = (type === 'uint16' || type === 'uint32') && random() < 0.3;
  const from = below(random, 12);
  return {
    name: 'x',
    table: 'holding',
    address: 0,
    length: 1 + below(random, 8),
    type,
    scale: pick(random, [1, 0.1, 0.001, -1, 1e9]),
    offset: pick(random, [0, -40, 1e6]),
    sentinels: pick(random, [[], [0xffff], [0x7fff, -1], [0xffff_ffff]]),
    milking: false,
    write_only: false,
    ...(hasBits ? { bits: { from, count: 1 + below(random, 4) } } : {}),
  };
}

for (const type of registerTypes) {
  test(`registers of type ${type}: ${fuzzRuns} in all word orders`, async () => {
    await fuzz(
      (random) => {
        const definition = anyDefinition(random, type);
        const order = pick(random, wordOrders);
        const value = pick(random, [0, 1, -1, 12.5, 99, 65_535, 1e6, -273.15, 4e9]);
        const valid = encodeRegister(definition, value, order);
        const isValid = typeof valid !== 'string' && random() < 0.6;
        const words = isValid
          ? flip(random, valid)
          : Array.from({ length: below(random, 10) }, () => anyWord(random));
        return { definition, order, words };
      },
      ({ definition, order, words }) => {
        const value = decodeRegister(definition, words.slice(0, registerWidth(definition)), order);
        if (value === undefined) return;
        assert.equal(typeof value, type === 'bool' ? 'boolean' : type === 'string' ? 'string' : 'number');
        if (typeof value === 'string') return;
        if (typeof value === 'number') assert.ok(Number.isFinite(value));
        const back = encodeRegister(definition, value, order);
        if (typeof back === 'string') return;
        assert.ok(back.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffff));
        // What was written reads as the same value again; a 64-bit value has more digits than a number.
        const again = decodeRegister({ ...definition, sentinels: [] }, back, order);
        const step = Math.abs(definition.scale) + Math.abs(Number(value)) * 1e-6;
        assert.ok(Math.abs(Number(again) - Number(value)) <= step, `${String(value)}, then ${String(again)}`);
      },
    );
  });
}

test('a float that overflows its scale, or when it is rounded, is no value', () => {
  const read = (scale: number, words: number[]) =>
    decodeRegister({ ...anyDefinition(() => 0, 'float64'), scale, offset: 0 }, words, 'ABCD');
  assert.equal(read(1e9, [0x7fef, 0xffff, 0xffff, 0xffff]), undefined);
  assert.equal(read(1, [0x7fef, 0xffff, 0xffff, 0xffff]), undefined);
  // Found by a million of them.
  assert.equal(read(1e9, [32_273, 11_787, 59_430, 54_932]), undefined);
});

const maps = [...loadProfiles('config/profiles', loadMetrics('config/metrics.yaml')).values()].flatMap(
  ({ modbus, samples }) => (modbus === undefined ? [] : [{ map: modbus, samples }]),
);

test(`whole polls of every profile, cut short as well: ${fuzzRuns}`, async () => {
  await fuzz(
    (random) => {
      const { map, samples } = pick(random, maps);
      const registers = pick(random, samples).registers ?? {};
      const blocks = planReads(map).flatMap((plan) => plan.blocks);
      const isSample = random() < 0.6;
      const cut = random() < 0.3 ? below(random, 30) : Infinity;
      const data = blocks.map(({ table, start, length }) =>
        Array.from({ length: Math.min(length, cut) }, (_, at) => {
          const word = registers[table]?.[String(start + at + map.address_base)] ?? 0;
          return isSample && random() < 0.8 ? word : anyWord(random);
        }),
      );
      return { map, blocks, data };
    },
    ({ map, blocks, data }) => {
      const values = decodeBlocks(map, blocks, data);
      const given = {
        at: 1e12,
        previous: { counters: {} },
        kgPerLitre: 1.03,
        isSession: map.session !== undefined,
      };
      const calibration = Object.fromEntries(
        map.registers.map(({ metric = '' }) => [metric, { scale: 1.02, offset: -0.3 }]),
      );
      envelopeSchema.parse(toReading({ map, stall: '1', calibration }, values, given).envelope);
    },
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
