// Reads a plan block by block, and learns from a device that refuses a block.
import { AppError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { BusLine } from './bus.ts';
import { decodeBlocks, type Values } from './decode.ts';
import { RefusedError } from './faults.ts';
import { nothingLearned, refused, reviewed, wasRead, type Lesson } from './lessons.ts';
import type { Block } from './plan.ts';
import type { DeviceSettings } from './settings.ts';

export interface PlanResult {
  values: Values;
  requests: number;
  /** Registers of the device, of any plan, that it refuses: they are left out for now. */
  missing: readonly string[];
}

/** What a device may say to a block that it will never answer: unknown function, address, or too many at once. */
const mayLast = (error: unknown): error is RefusedError =>
  error instanceof RefusedError && [1, 2, 3].includes(error.code);

/**
 * A reader of the device's plans by number. A block that is refused twice is cut in two and read in parts; a single
 * register is left out. That counts for minutes, then the whole is tried again: the device may have been starting, or its
 * module been plugged in. Rejects as the bus does, and when nothing is left to read.
 */
export function createPlanReader(
  { uid, unit, map, plans }: Pick<DeviceSettings, 'uid' | 'unit' | 'map' | 'plans'>,
  logger: Logger,
  now: () => number = () => performance.now(),
): (line: BusLine, index: number, patienceMs: number) => Promise<PlanResult> {
  const lessons = plans.map(nothingLearned);

  /** One refusal alone is no lesson: it is asked once more. */
  const readTwice = async (line: BusLine, block: Block, patienceMs: number) => {
    try {
      return await line.read(unit, block, patienceMs);
    } catch (error) {
      if (!mayLast(error)) throw error;
      return line.read(unit, block, patienceMs);
    }
  };
  const learn = (lesson: Lesson, block: Block, error: RefusedError): Lesson => {
    const learned = refused(lesson, map, block, now());
    const registers = block.registers.map(({ definition }) => definition.name);
    const retryInS = Math.round((learned.retryAt - now()) / 1000);
    const line = { device: uid, registers, error: error.message, retry_in_s: retryInS };
    if (registers.length === 1) logger.warn(line, 'register refused, left out for now');
    else logger.info(line, 'block refused, read in two for now');
    return learned;
  };

  return async (line, index, patienceMs) => {
    const configured = plans[index];
    const before = lessons[index];
    if (configured === undefined || before === undefined)
      throw new AppError('bug', `device '${uid}' has no plan ${index}`);
    let lesson = reviewed(before, configured, now());
    let requests = 0;
    const data: number[][] = [];
    for (let at = 0; at < lesson.plan.blocks.length;) {
      const block = lesson.plan.blocks[at];
      if (block === undefined) break;
      requests++;
      try {
        data.push(await readTwice(line, block, patienceMs));
        at++;
      } catch (error) {
        if (!mayLast(error)) throw error;
        const learned = learn(lesson, block, error);
        // Refusing everything is no lesson: it starts, or it is another device.
        if (learned.plan.blocks.length === 0) throw error;
        lesson = learned;
      }
    }
    lessons[index] = lesson = wasRead(lesson);
    const { plan } = lesson;
    if (plan.recheck !== undefined) {
      requests++;
      const again = await line.read(unit, plan.recheck, patienceMs);
      if (!isSame(again, wordsOf(plan.recheck, plan.blocks, data)))
        throw new AppError(
          'transient',
          `unit ${unit}: a new milking began between two reads; this poll is left out`,
        );
    }
    const missing = lessons.flatMap((entry) => entry.missing);
    return { values: decodeBlocks(map, plan.blocks, data), requests, missing };
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
