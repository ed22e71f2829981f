// What is learned from a device's refusals, for how long, and what is missing meanwhile. Pure.
import { backoffMs } from '../../contract/backoff.ts';
import type { ModbusMap } from '../../contract/profile/modbus.ts';
import { replaceBlock, splitBlock, type Block, type ReadPlan } from './plan.ts';

/** How one plan of a device is read now. */
export interface Lesson {
  plan: ReadPlan;
  /** Names of registers that are left out. */
  missing: readonly string[];
  /** Times in a row that the whole plan was tried and refused. */
  refusals: number;
  /** When the whole plan is tried again; Infinity when it is what is read. */
  retryAt: number;
}

/** A device that starts refuses for seconds; a module that is not plugged in for months. */
const waits = { baseMs: 60_000, capMs: 1_800_000 };

/** Nothing learned: everything is read as configured. */
export const nothingLearned = (plan: ReadPlan): Lesson => ({
  plan,
  missing: [],
  refusals: 0,
  retryAt: Infinity,
});

/** The plan is whole again when its time has come; the refusals are remembered until it has been read. */
export function reviewed(lesson: Lesson, configured: ReadPlan, now: number): Lesson {
  return now < lesson.retryAt ? lesson : { ...nothingLearned(configured), refusals: lesson.refusals };
}

/** After a block was refused twice: cut in two, or left out when it is a single value. */
export function refused(lesson: Lesson, map: ModbusMap, block: Block, now: number): Lesson {
  const parts = splitBlock(block) ?? [];
  const isFirst = lesson.retryAt === Infinity;
  const refusals = lesson.refusals + (isFirst ? 1 : 0);
  const names = block.registers.map(({ definition }) => definition.name);
  return {
    plan: replaceBlock(map, lesson.plan, block, parts),
    missing: parts.length === 0 ? [...lesson.missing, ...names] : lesson.missing,
    refusals,
    retryAt: isFirst ? now + backoffMs(refusals, waits) : lesson.retryAt,
  };
}

/** After everything that is left was read. */
export const wasRead = (lesson: Lesson): Lesson =>
  lesson.retryAt === Infinity && lesson.refusals > 0 ? { ...lesson, refusals: 0 } : lesson;
