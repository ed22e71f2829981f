// Which blocks to read: merges a profile's registers into as few requests as the device allows. Pure.
import { AppError } from '../../contract/errors.ts';
import type { ModbusMap, RegisterDefinition } from '../../contract/profile.ts';

export type Table = RegisterDefinition['table'];

/** One request: `length` registers (or bits) of a table from `start`, a 0-based wire address. */
export interface Block {
  table: Table;
  start: number;
  length: number;
  registers: readonly { definition: RegisterDefinition; offset: number }[];
}

export interface ReadPlan {
  blocks: readonly Block[];
  /**
   * The session counter alone, read again at the end when a poll takes more than one request:
   * a milking that changed in between would mix the totals of two cows.
   */
  recheck: Block | undefined;
}

const fixedWidths: Readonly<Record<Exclude<RegisterDefinition['type'], 'string'>, number>> = {
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

/** Plans the reads of a profile. Throws AppError `invalid` when a register cannot be read at all. */
export function planReads(map: ModbusMap): ReadPlan {
  const tables = new Set(map.registers.map((register) => register.table));
  const blocks = [...tables].flatMap((table) => planTable(map, table));
  const counter = map.registers.find((register) => register.name === map.session?.counter);
  const recheck = counter === undefined || blocks.length < 2 ? undefined : blockOf([place(map, counter)]);
  return { blocks, recheck };
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

function planTable(map: ModbusMap, table: Table): Block[] {
  const placed = map.registers
    .filter((register) => register.table === table)
    .map((definition) => place(map, definition))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const blocks: Block[] = [];
  let group: Placed[] = [];
  let end = 0;
  for (const next of placed) {
    const joined = Math.max(end, next.end) - (group[0]?.start ?? next.start);
    if (group.length > 0 && (next.start - end > map.max_gap || joined > map.max_block)) {
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
