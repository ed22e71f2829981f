// What npm stop and a reset do: everything of an instance ends, in the order in which nothing is lost.
import { bringDown } from '../stack/client.ts';
import { dockerDown } from '../stack/docker/provider.ts';
import { describeHolder, lockHolder, tryLock, type Lock } from '../stack/lock.ts';
import { endProcess } from '../stack/process-id.ts';
import type { Instance } from '../stack/types.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOrphans, readRecord, removeRecord, runningSupervisor, startAction } from './record.ts';

const supervisorGraceMs = 90_000;
const lookMs = 100;

/** Takes the instance's lock. A start that is under way is ended; another command that stops or resets is waited for. */
export async function lockToEnd(
  instance: Instance,
  action: string,
  say: (words: string) => void,
): Promise<Lock> {
  let told = 0;
  for (;;) {
    const lock = await tryLock(instance, action);
    if (lock !== undefined) return lock;
    const holder = lockHolder(instance);
    const supervisor = runningSupervisor(instance)?.supervisor;
    const isStart = holder?.action === startAction && supervisor?.pid === holder.pid;
    if (holder !== undefined && holder.pid !== told) {
      told = holder.pid;
      say(`${isStart ? 'ending' : 'waiting for'} ${describeHolder(holder)}`);
    }
    if (isStart) await endProcess(supervisor, 'SIGTERM', supervisorGraceMs);
    await sleep(lookMs);
  }
}

/** Ends the supervisor, what a killed one left behind, and the services. True when something ran. */
export async function endAll(instance: Instance, { withData }: { withData: boolean }): Promise<boolean> {
  const supervisor = runningSupervisor(instance)?.supervisor;
  if (supervisor !== undefined) await endProcess(supervisor, 'SIGTERM', supervisorGraceMs);
  const orphans = await endOrphans(instance);
  const containers = await dockerDown(instance, { withData });
  const services = await bringDown(instance);
  if (readRecord(instance) !== undefined) removeRecord(instance);
  return supervisor !== undefined || orphans.length > 0 || containers || services;
}
