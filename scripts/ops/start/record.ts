// What the supervisor of npm start writes down for others: who it and its children are, and how far it is.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../contract/errors.ts';
import { readJson, writePrivate } from '../stack/instance.ts';
import { endProcess, identifySelf, isAlive, type ProcessId } from '../stack/process-id.ts';
import type { Instance } from '../stack/types.ts';

export interface StartRecord {
  supervisor: ProcessId;
  /** By name: connector, gateway, simulator. */
  children: Record<string, ProcessId>;
  step: string;
  phase: 'starting' | 'running' | 'failed';
}

/** What the lock says while a start is under way. */
export const startAction = 'npm start';

const recordFile = (instance: Instance): string => join(instance.dir, 'run', 'start.json');

export const readRecord = (instance: Instance): StartRecord | undefined =>
  readJson(recordFile(instance)) as StartRecord | undefined;

export const writeRecord = (instance: Instance, record: StartRecord): void =>
  writePrivate(recordFile(instance), JSON.stringify(record));

/** When the disk is full the record of before has to do. */
export function tryWriteRecord(instance: Instance, record: StartRecord): void {
  try {
    writeRecord(instance, record);
  } catch (error) {
    console.error('%s cannot be written: %s', recordFile(instance), messageOf(error));
  }
}

export const removeRecord = (instance: Instance): void => rmSync(recordFile(instance), { force: true });

export const newRecord = (): StartRecord => ({
  supervisor: identifySelf(),
  children: {},
  step: 'starting',
  phase: 'starting',
});

/** The record of a supervisor that runs now. */
export function runningSupervisor(instance: Instance): StartRecord | undefined {
  const record = readRecord(instance);
  return record !== undefined && isAlive(record.supervisor) ? record : undefined;
}

const graceMs = 15_000;

/** Ends what a killed supervisor left behind: exactly the processes it wrote down. Returns their names. */
export async function endOrphans(instance: Instance): Promise<string[]> {
  const left = Object.entries(readRecord(instance)?.children ?? {}).filter(([, id]) => isAlive(id));
  await Promise.all(left.map(([, id]) => endProcess(id, 'SIGTERM', graceMs)));
  return left.map(([name]) => name);
}
