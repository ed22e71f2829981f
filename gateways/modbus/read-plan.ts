// Reads a plan block by block, and learns from a device that refuses a block.
import { AppError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { RefusedError, type BusLine } from './bus.ts';
import { decodeBlocks, type Values } from './decode.ts';
import { replaceBlock, splitBlock, type Block } from './plan.ts';
import type { DeviceSettings } from './settings.ts';

export interface PlanResult {
  values: Values;
  requests: number;
}

/** What a device says to a block that it will never answer: unknown function, address, or too many at once. */
const isLasting = (error: unknown): error is RefusedError =>
  error instanceof RefusedError && [1, 2, 3].includes(error.code);

/** After so long a register that was refused is tried again: its module may have been plugged in. */
const forgetAfterMs = 3_600_000;

/**
 * A reader of the device's plans by number. A refused block is cut in two and read in parts, from then on at every poll; a
 * single register that is refused is left out. Rejects as the bus does, and when nothing is left to read.
 */
export function createPlanReader(
  { uid, unit, map, plans: configured }: Pick<DeviceSettings, 'uid' | 'unit' | 'map' | 'plans'>,
  logger: Logger,
): (line: BusLine, index: number, patienceMs: number) => Promise<PlanResult> {
  let plans = [...configured];
  let learnedAt = Infinity;

  const learn = (index: number, block: Block, error: RefusedError) => {
    const plan = plans[index];
    if (plan === undefined) return;
    const parts = splitBlock(block) ?? [];
    const names = block.registers.map(({ definition }) => definition.name);
    if (parts.length === 0)
      logger.warn(
        { device: uid, registers: names, error: error.message },
        'register refused, left out for an hour',
      );
    else
      logger.info(
        { device: uid, table: block.table, start: block.start, length: block.length },
        'block refused, read in two',
      );
    plans[index] = replaceBlock(map, plan, block, parts);
    learnedAt = Math.min(learnedAt, performance.now());
  };

  return async (line, index, patienceMs) => {
    if (performance.now() - learnedAt > forgetAfterMs) [plans, learnedAt] = [[...configured], Infinity];
    let requests = 0;
    const data: number[][] = [];
    for (let at = 0; at < (plans[index]?.blocks.length ?? 0);) {
      const block = plans[index]?.blocks[at];
      if (block === undefined) break;
      requests++;
      try {
        data.push(await line.read(unit, block, patienceMs));
        at++;
      } catch (error) {
        if (!isLasting(error)) throw error;
        learn(index, block, error);
        if (plans[index]?.blocks.length === 0) {
          // Refusing everything is no lesson: it starts, or it is another device.
          plans[index] = configured[index] ?? plans[index];
          throw error;
        }
      }
    }
    const plan = plans[index];
    if (plan === undefined) throw new AppError('bug', `device '${uid}' has no plan ${index}`);
    if (plan.recheck !== undefined) {
      requests++;
      const again = await line.read(unit, plan.recheck, patienceMs);
      if (!isSame(again, wordsOf(plan.recheck, plan.blocks, data)))
        throw new AppError(
          'transient',
          `unit ${unit}: a new milking began between two reads; this poll is left out`,
        );
    }
    return { values: decodeBlocks(map, plan.blocks, data), requests };
  };
}

/** Where the words of `recheck` are in what was read first. */
function wordsOf(recheck: Block, blocks: readonly Block[], data: readonly number[][]): number[] {
  const index = blocks.findIndex(
    (block) =>
      block.table === recheck.table &&
      block.start <= recheck.start &&
      recheck.start + recheck.length <= block.start + block.length,
  );
  const offset = recheck.start - (blocks[index]?.start ?? 0);
  return data[index]?.slice(offset, offset + recheck.length) ?? [];
}

const isSame = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((word, index) => word === b[index]);
