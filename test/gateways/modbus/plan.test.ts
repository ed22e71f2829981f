// Block reads: every register is read, no request is larger than the device allows, gaps stay within the limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { profileSchema } from '../../../contract/profile.ts';
import { registerTypes, type ModbusMap } from '../../../contract/profile/modbus.ts';
import { planReads, registerWidth, splitBlock, type Block } from '../../../gateways/modbus/plan.ts';

/** A Modbus section with defaults filled in. */
function toMap(modbus: Record<string, unknown>): ModbusMap {
  const profile = profileSchema.parse({
    profile: 'p',
    device_type: 'milk_meter',
    manufacturer: 'm',
    model: 'm',
    description: 'd',
    modbus,
    samples: [{ name: 's', expect: {} }],
  });
  return profile.modbus!;
}

/** The plan of a map without groups. */
function planOf(map: ModbusMap) {
  const [plan, ...others] = planReads(map);
  assert.ok(plan !== undefined && others.length === 0);
  return plan;
}

const registers = fc
  .array(
    fc.record({
      address: fc.integer({ min: 1, max: 400 }),
      type: fc.constantFrom(...registerTypes.filter((type) => type !== 'bool')),
      table: fc.constantFrom('holding', 'input'),
      length: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) => list.map((register, index) => ({ ...register, name: `r${index}` })));
const maps = fc
  .record({
    address_base: fc.constantFrom(0 as const, 1 as const),
    max_block: fc.integer({ min: 4, max: 125 }),
    max_gap: fc.integer({ min: 0, max: 20 }),
    registers,
  })
  .map(toMap);

test('every register is in exactly one block, at its address', () => {
  fc.assert(
    fc.property(maps, (map) => {
      const placed = planOf(map).blocks.flatMap((block) =>
        block.registers.map(({ definition, offset }) => ({ block, definition, offset })),
      );
      assert.deepEqual(
        placed.map(({ definition }) => definition.name).toSorted(),
        map.registers.map(({ name }) => name).toSorted(),
      );
      for (const { block, definition, offset } of placed) {
        assert.equal(block.table, definition.table);
        assert.equal(block.start + offset, definition.address - map.address_base);
        assert.ok(offset + registerWidth(definition) <= block.length);
      }
    }),
  );
});

test('no block is longer than max_block, and no gap in it wider than max_gap', () => {
  fc.assert(
    fc.property(maps, (map) => {
      for (const block of planOf(map).blocks) {
        assert.ok(block.length >= 1 && block.length <= map.max_block);
        let covered = 0;
        for (const { definition, offset } of block.registers) {
          assert.ok(offset - covered <= map.max_gap);
          covered = Math.max(covered, offset + registerWidth(definition));
        }
        assert.equal(covered, block.length);
      }
    }),
  );
});

test('neighbours that fit share a request', () => {
  const map = toMap({
    max_block: 10,
    max_gap: 2,
    registers: [
      { name: 'far', address: 20 },
      { name: 'a', address: 0, type: 'uint32' },
      { name: 'b', address: 4 },
      { name: 'c', address: 8 },
    ],
  });
  const shape = planOf(map).blocks.map(({ start, length }) => [start, length]);
  assert.deepEqual(shape, [
    [0, 5],
    [8, 1],
    [20, 1],
  ]);
});

test('a session in several requests has its counter read again', () => {
  const session = { counter: 'counter', active: 'active' };
  const near = [
    { name: 'counter', address: 10 },
    { name: 'active', address: 11 },
  ];
  assert.equal(planOf(toMap({ session, registers: near })).recheck, undefined);
  const plan = planOf(
    toMap({ session, registers: [...near, { name: 'total', address: 90, type: 'uint32' }] }),
  );
  assert.deepEqual([plan.recheck?.start, plan.recheck?.length], [10, 1]);
});

test('a register that cannot be read is a configuration error that says what to change', () => {
  const wide = toMap({ max_block: 2, registers: [{ name: 'tag', address: 0, type: 'uint64' }] });
  assert.throws(() => planReads(wide), /'tag' takes 4 registers, more than max_block 2/);
  const outside = toMap({ address_base: 1, registers: [{ name: 'x', address: 0 }] });
  assert.throws(() => planReads(outside), /'x': address 0 is outside the table/);
});

test('groups have plans of their own, the fastest first; what is only written is not read', () => {
  const map = toMap({
    poll_interval_ms: 1000,
    groups: { slow: { interval_ms: 60_000 }, fast: { interval_ms: 100 } },
    registers: [
      { name: 'a', address: 0 },
      { name: 'b', address: 1, group: 'slow' },
      { name: 'c', address: 2, group: 'fast' },
      { name: 'start', address: 3, write_only: true },
    ],
  });
  const names = planReads(map).map(({ intervalMs, blocks }) => [
    intervalMs,
    ...blocks.flatMap(({ registers }) => registers.map(({ definition }) => definition.name)),
  ]);
  assert.deepEqual(names, [
    [100, 'c'],
    [1000, 'a'],
    [60_000, 'b'],
  ]);
});

test('no block touches an illegal register', () => {
  const map = toMap({
    address_base: 1,
    illegal: [{ from: 6, to: 6 }],
    registers: [
      { name: 'a', address: 4, type: 'uint32' },
      { name: 'b', address: 7 },
      { name: 'c', address: 9 },
    ],
  });
  const shape = planOf(map).blocks.map(({ start, length }) => [start, length]);
  assert.deepEqual(shape, [
    [3, 2],
    [6, 3],
  ]);
});

test('a block that is split again and again ends as single values, none lost, none cut', () => {
  const flatten = (block: Block): Block[] => {
    const parts = splitBlock(block);
    return parts === undefined ? [block] : parts.flatMap(flatten);
  };
  fc.assert(
    fc.property(maps, (map) => {
      const blocks = planOf(map).blocks.filter(({ table }) => table === 'holding');
      for (const block of blocks) {
        const leaves = flatten(block);
        const told = (list: readonly Block[]) =>
          list
            .flatMap(({ start, registers: own }) =>
              own.map(({ definition, offset }) => `${definition.name}@${start + offset}`),
            )
            .toSorted();
        assert.deepEqual(told(leaves), told([block]));
        for (const { length, registers: own } of leaves) {
          for (const { definition, offset } of own) assert.ok(offset + registerWidth(definition) <= length);
        }
      }
    }),
  );
});
