// Decoding: every type in every word order, sentinels, NaN, scale, units, tags.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { profileSchema } from '../../../contract/profile.ts';
import { wordOrders, type ModbusMap, type RegisterDefinition } from '../../../contract/profile/modbus.ts';
import {
  decodeBlocks,
  decodeRegister,
  encodeRegister,
  toPoints,
  toRfid,
} from '../../../gateways/modbus/decode.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';

type WordOrder = (typeof wordOrders)[number];

const definition = (part: Partial<RegisterDefinition>): RegisterDefinition => ({
  name: 'x',
  table: 'holding',
  address: 0,
  type: 'uint16',
  scale: 1,
  offset: 0,
  sentinels: [],
  milking: false,
  write_only: false,
  ...part,
});

/** Big-endian bytes laid out as a device with this word order sends them: the letters are the bytes' names. */
function wordsOf(bytes: readonly number[], order: WordOrder): number[] {
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 2) words.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const swapped =
    order === 'BADC' || order === 'DCBA' ? words.map((w) => ((w & 0xff) << 8) | (w >> 8)) : words;
  return order === 'CDAB' || order === 'DCBA' ? swapped.toReversed() : swapped;
}

function bytesOf(length: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(length));
  write(view);
  return Array.from({ length }, (_, i) => view.getUint8(i));
}

const numeric = [
  ['uint16', 2, fc.integer({ min: 0, max: 0xffff }), (v: DataView, n: number) => v.setUint16(0, n)],
  ['int16', 2, fc.integer({ min: -0x8000, max: 0x7fff }), (v: DataView, n: number) => v.setInt16(0, n)],
  ['uint32', 4, fc.integer({ min: 0, max: 0xffffffff }), (v: DataView, n: number) => v.setUint32(0, n)],
  [
    'int32',
    4,
    fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    (v: DataView, n: number) => v.setInt32(0, n),
  ],
  [
    'uint64',
    8,
    fc.integer({ min: 0, max: 999_999_999_999_999 }),
    (v: DataView, n: number) => v.setBigUint64(0, BigInt(n)),
  ],
  [
    'int64',
    8,
    fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
    (v: DataView, n: number) => v.setBigInt64(0, BigInt(n)),
  ],
  [
    'float32',
    4,
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    (v: DataView, n: number) => v.setFloat32(0, n),
  ],
  [
    'float64',
    8,
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
    (v: DataView, n: number) => v.setFloat64(0, n),
  ],
  [
    'bcd16',
    2,
    fc.integer({ min: 0, max: 9999 }),
    (v: DataView, n: number) => v.setUint16(0, Number.parseInt(String(n), 16)),
  ],
  [
    'bcd32',
    4,
    fc.integer({ min: 0, max: 99_999_999 }),
    (v: DataView, n: number) => v.setUint32(0, Number.parseInt(String(n), 16)),
  ],
] as const;

describe('what was encoded comes back', () => {
  for (const [type, length, values, write] of numeric) {
    for (const order of wordOrders) {
      test(`${type} ${order}`, () => {
        fc.assert(
          fc.property(values, (value) => {
            const words = wordsOf(
              bytesOf(length, (view) => write(view, value)),
              order,
            );
            const decoded = decodeRegister(definition({ type }), words, order) as number;
            // 15 significant digits are kept.
            assert.ok(Math.abs(decoded - value) <= Math.abs(value) * 1e-14, `${decoded} is not ${value}`);
            // And what is written for it is the same again.
            assert.deepEqual(encodeRegister(definition({ type }), value, order), words);
          }),
        );
      });
    }
  }
});

test('the letters of a word order name the bytes as they arrive', () => {
  const decode = (words: number[], order: WordOrder) =>
    decodeRegister(definition({ type: 'uint32' }), words, order);
  assert.equal(decode([0x1122, 0x3344], 'ABCD'), 0x11223344);
  assert.equal(decode([0x3344, 0x1122], 'CDAB'), 0x11223344);
  assert.equal(decode([0x2211, 0x4433], 'BADC'), 0x11223344);
  assert.equal(decode([0x4433, 0x2211], 'DCBA'), 0x11223344);
});

test('text: padded, ended early, bytes swapped', () => {
  const text = definition({ type: 'string', length: 3 });
  assert.equal(decodeRegister(text, [0x4142, 0x4300, 0x5858], 'ABCD'), 'ABC');
  assert.equal(decodeRegister(text, [0x4241, 0x2043, 0x2020], 'BADC'), 'ABC');
  assert.equal(decodeRegister(text, [0x4142, 0x4344, 0x4546], 'CDAB'), 'ABCDEF');
});

test('no value: sentinels in either form, NaN, infinity, nibbles that are no digits, words that are missing', () => {
  const decode = (part: Partial<RegisterDefinition>, words: number[]) =>
    decodeRegister(definition(part), words, 'ABCD');
  assert.equal(decode({ sentinels: [0xffff] }, [0xffff]), undefined);
  assert.equal(decode({ type: 'int16', sentinels: [0x8000] }, [0x8000]), undefined);
  assert.equal(decode({ type: 'int16', sentinels: [-32768] }, [0x8000]), undefined);
  assert.equal(decode({ type: 'uint32', sentinels: [0xffffffff] }, [0xffff, 0xffff]), undefined);
  assert.equal(decode({ type: 'float32' }, [0x7fc0, 0]), undefined);
  assert.equal(decode({ type: 'float32' }, [0x7f80, 0]), undefined);
  assert.equal(decode({ type: 'bcd16' }, [0x12a4]), undefined);
  assert.equal(decode({ type: 'uint32' }, [1]), undefined);
  assert.equal(decode({ sentinels: [0xffff] }, [0xfffe]), 0xfffe);
});

test('scale and offset leave no float noise', () => {
  assert.equal(decodeRegister(definition({ scale: 0.01 }), [1109], 'ABCD'), 11.09);
  assert.equal(decodeRegister(definition({ scale: 0.1, offset: -40 }), [423], 'ABCD'), 2.3);
});

const map: ModbusMap = profileSchema.parse({
  profile: 'p',
  device_type: 'milk_meter',
  manufacturer: 'm',
  model: 'm',
  description: 'd',
  samples: [{ name: 's', expect: {} }],
  modbus: {
    address_base: 1,
    word_order: 'CDAB',
    registers: [
      {
        name: 'litres',
        address: 1,
        type: 'uint32',
        scale: 0.1,
        metric: 'milk_yield',
        unit: 'L',
        milking: true,
      },
      { name: 'fahrenheit', address: 3, metric: 'temperature', unit: '[degF]' },
      { name: 'lid', table: 'coil', address: 7, type: 'bool' },
      { name: 'own_order', address: 5, type: 'uint32', word_order: 'ABCD' },
    ],
  },
}).modbus!;

test('values come by name, in their own word order, and as points in canonical units', () => {
  const { blocks } = planReads(map)[0]!;
  assert.deepEqual(
    blocks.map(({ table, start, length }) => [table, start, length]),
    [
      ['holding', 0, 6],
      ['coil', 6, 1],
    ],
  );
  const values = decodeBlocks(map, blocks, [[100, 0, 212, 0, 0, 7], [1]]);
  assert.deepEqual(Object.fromEntries(values), { litres: 10, fahrenheit: 212, own_order: 7, lid: true });
  const points = (scope: 'all' | 'milking' | 'machine') => toPoints(map, values, { kgPerLitre: 1.03, scope });
  assert.deepEqual(points('all'), [
    { m: 'milk_yield', v: 10.3 },
    { m: 'temperature', v: 100 },
  ]);
  assert.deepEqual(points('milking'), [{ m: 'milk_yield', v: 10.3 }]);
  assert.deepEqual(points('machine'), [{ m: 'temperature', v: 100 }]);
});

test('a tag has 15 digits, and zero is no tag', () => {
  assert.equal(toRfid(50_000_000_000_001), '050000000000001');
  assert.equal(toRfid('982000001088420'), '982000001088420');
  for (const none of [0, undefined, '', '12345', '000000000000000', 1e16, true])
    assert.equal(toRfid(none), undefined);
});

test('bits of a word', () => {
  const bits = (from: number, count: number) =>
    decodeRegister(definition({ bits: { from, count } }), [0b1010_0110_0000_0011], 'ABCD');
  assert.deepEqual(
    [bits(0, 1), bits(1, 1), bits(2, 1), bits(9, 2), bits(12, 4), bits(0, 16)],
    [1, 1, 0, 3, 10, 0xa603],
  );
});

test('what does not fit is not written', () => {
  const encode = (part: Partial<RegisterDefinition>, value: number) =>
    encodeRegister(definition(part), value, 'ABCD');
  assert.deepEqual(encode({ scale: 0.1 }, 4.26), [43]);
  assert.deepEqual(encode({ type: 'int16', scale: 0.1, offset: -40 }, -41), [0xfff6]);
  for (const value of [-1, 65_536, Number.NaN, Infinity])
    assert.match(String(encode({}, value)), /does not fit/);
  assert.match(String(encode({ type: 'bcd16' }, 10_000)), /does not fit/);
});
