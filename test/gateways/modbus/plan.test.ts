// Block reads: every register is read, no request is larger than the device allows, gaps stay within the limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { profileSchema, registerTypes, type ModbusMap } from '../../../contract/profile.ts';
import { planReads, registerWidth } from '../../../gateways/modbus/plan.ts';

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
      const placed = planReads(map).blocks.flatMap((block) =>
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
      for (const block of planReads(map).blocks) {
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
  const shape = planReads(map).blocks.map(({ start, length }) => [start, length]);
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
  assert.equal(planReads(toMap({ session, registers: near })).recheck, undefined);
  const plan = planReads(
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
