// Which blocks to read: merges a profile's registers into as few requests as the device allows. Pure.
import { AppError } from '../../contract/errors.ts';
import type { ModbusMap, RegisterDefinition } from '../../contract/profile/modbus.ts';

export type Table = RegisterDefinition['table'];

/** One request: `length` registers (or bits) of a table from `start`, a 0-based wire address. */
export interface Block {
  table: Table;
  start: number;
  length: number;
  registers: readonly { definition: RegisterDefinition; offset: number }[];
}

/** What is read together at one rate. */
export interface ReadPlan {
  intervalMs: number;
  blocks: readonly Block[];
  /**
   * The session counter alone, read again at the end when a poll takes more than one request:
   * a milking that changed in between would mix the totals of two cows.
   */
  recheck: Block | undefined;
}

/** Registers of each type but text. */
export const fixedWidths: Readonly<Record<Exclude<RegisterDefinition['type'], 'string'>, number>> = {
  bool: 1,
  uint16: 1,
  int16: 1,
  bcd16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
  bcd32: 2,
  uint64: 4,
  int64: 4,
  float64: 4,
};

/** Registers (or bits) that a definition occupies. */
export function registerWidth(definition: RegisterDefinition): number {
  return definition.type === 'string' ? (definition.length ?? 1) : fixedWidths[definition.type];
}

/** Plans the reads of a profile, one plan per polling group, the fastest first. Throws AppError `invalid` when a register cannot be read at all. */
export function planReads(map: ModbusMap): ReadPlan[] {
  const polled = map.registers.filter((register) => !register.write_only);
  const groups = new Set(polled.map((register) => register.group));
  return [...groups]
    .map((group) => {
      const own = polled.filter((register) => register.group === group);
      const tables = new Set(own.map((register) => register.table));
      const blocks = [...tables].flatMap((table) => planTable(map, own, table));
      const intervalMs = map.groups[group ?? '']?.interval_ms ?? map.poll_interval_ms;
      return withRecheck(map, { intervalMs, blocks, recheck: undefined });
    })
    .toSorted((a, b) => a.intervalMs - b.intervalMs);
}

/** The same plan with blocks replaced, as learned from a device that refuses one. */
export function replaceBlock(
  map: ModbusMap,
  plan: ReadPlan,
  block: Block,
  parts: readonly Block[],
): ReadPlan {
  const blocks = plan.blocks.flatMap((other) => (other === block ? parts : [other]));
  return withRecheck(map, { ...plan, blocks });
}

function withRecheck(map: ModbusMap, plan: ReadPlan): ReadPlan {
  const name = map.session?.counter;
  const counter = plan.blocks
    .flatMap(({ registers }) => registers)
    .find(({ definition }) => definition.name === name)?.definition;
  const recheck =
    counter === undefined || plan.blocks.length < 2 ? undefined : blockOf([place(map, counter)]);
  return { ...plan, recheck };
}

/**
 * Two blocks instead of one that the device refuses: cut at the widest gap, else near the middle, never through a
 * value. Undefined when there is only one value left.
 */
export function splitBlock({ table, start, registers }: Block): [Block, Block] | undefined {
  const placed = registers.map(({ definition, offset }): Placed => ({
    definition,
    start: start + offset,
    end: start + offset + registerWidth(definition),
  }));
  let best: { index: number; gap: number; fromMiddle: number } | undefined;
  let end = 0;
  placed.forEach((next, index) => {
    const gap = next.start - end;
    const fromMiddle = Math.abs(index - placed.length / 2);
    if (
      index > 0 &&
      gap >= 0 &&
      (best === undefined || gap > best.gap || (gap === best.gap && fromMiddle < best.fromMiddle))
    )
      best = { index, gap, fromMiddle };
    end = Math.max(end, next.end);
  });
  if (best === undefined) return undefined;
  const parts = [placed.slice(0, best.index), placed.slice(best.index)] as const;
  return [
    { ...blockOf(parts[0]), table },
    { ...blockOf(parts[1]), table },
  ];
}

/** Where one register is, for reading or writing it alone. */
export function placeRegister(map: ModbusMap, definition: RegisterDefinition): Block {
  return blockOf([place(map, definition)]);
}

interface Placed {
  definition: RegisterDefinition;
  start: number;
  end: number;
}

function place(map: ModbusMap, definition: RegisterDefinition): Placed {
  const start = definition.address - map.address_base;
  const width = registerWidth(definition);
  if (start < 0 || start + width > 65_536) {
    throw new AppError(
      'invalid',
      `register '${definition.name}': address ${definition.address} is outside the table; check address and address_base`,
    );
  }
  if (width > map.max_block) {
    throw new AppError(
      'invalid',
      `register '${definition.name}' takes ${width} registers, more than max_block ${map.max_block}; raise max_block`,
    );
  }
  return { definition, start, end: start + width };
}

function planTable(map: ModbusMap, own: readonly RegisterDefinition[], table: Table): Block[] {
  const placed = own
    .filter((register) => register.table === table)
    .map((definition) => place(map, definition))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const blocks: Block[] = [];
  let group: Placed[] = [];
  let end = 0;
  for (const next of placed) {
    const joined = Math.max(end, next.end) - (group[0]?.start ?? next.start);
    const isApart = next.start - end > map.max_gap || isIllegal(map, table, end, next.start);
    if (group.length > 0 && (isApart || joined > map.max_block)) {
      blocks.push(blockOf(group));
      group = [];
      end = 0;
    }
    group.push(next);
    end = Math.max(end, next.end);
  }
  if (group.length > 0) blocks.push(blockOf(group));
  return blocks;
}

/** Whether one of the wire addresses from `start` to before `end` must not be read. */
function isIllegal(map: ModbusMap, table: Table, start: number, end: number): boolean {
  return map.illegal.some(
    (range) =>
      range.table === table && range.from - map.address_base < end && range.to - map.address_base >= start,
  );
}

/** `group` is sorted by start and not empty. */
function blockOf(group: readonly Placed[]): Block {
  const start = group[0]?.start ?? 0;
  return {
    table: group[0]?.definition.table ?? 'holding',
    start,
    length: Math.max(...group.map((entry) => entry.end)) - start,
    registers: group.map((entry) => ({ definition: entry.definition, offset: entry.start - start })),
  };
}
