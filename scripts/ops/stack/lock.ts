// One command at a time changes an instance: start, stop and reset wait for, or know of, each other.
// The lock is an abstract Unix socket: the kernel gives it to one process and takes it back however that process ends.
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, writePrivate } from './instance.ts';
import { identifySelf, isAlive, type ProcessId } from './process-id.ts';
import type { Instance } from './types.ts';

export interface Lock {
  release: () => Promise<void>;
}

/** Who has the lock, and what for: `npm start`, `npm stop`, `stack reset` … */
export interface LockHolder extends ProcessId {
  action: string;
}

const holderFile = (instance: Instance): string => join(instance.dir, 'run', 'lock.json');

/** By device and inode, so that the folder may be moved, and the same path in another container is another lock. */
function address(instance: Instance): string {
  const { dev, ino } = statSync(instance.dir);
  return `\0smart-dairy-${dev}-${ino}`;
}

/** Takes the lock, or hands back undefined when another process has it. */
export async function tryLock(instance: Instance, action: string): Promise<Lock | undefined> {
  const server = createServer((connection) => connection.destroy());
  const isOurs = await new Promise<boolean>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(false) : fail(error),
    );
    server.listen(address(instance), () => done(true));
  });
  if (!isOurs) return undefined;
  server.unref();
  try {
    writePrivate(holderFile(instance), JSON.stringify({ ...identifySelf(), action }));
  } catch {
    // A full disk: the lock counts, others just do not learn who has it.
  }
  return { release: () => new Promise<void>((done) => server.close(() => done())) };
}

/** Who has it now, as far as that is written down. */
export function lockHolder(instance: Instance): LockHolder | undefined {
  const holder = readJson(holderFile(instance)) as LockHolder | undefined;
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

const lookMs = 100;

/** Waits for the lock until `signal` fires; `onWait` hears once who has it. */
export async function takeLock(
  instance: Instance,
  action: string,
  onWait: (words: string) => void,
  signal?: AbortSignal,
): Promise<Lock> {
  let isTold = false;
  for (;;) {
    signal?.throwIfAborted();
    const lock = await tryLock(instance, action);
    if (lock !== undefined) return lock;
    const holder = lockHolder(instance);
    if (!isTold && holder !== undefined) {
      isTold = true;
      onWait(`waiting for ${describeHolder(holder)}`);
    }
    await sleep(lookMs);
  }
}

export const describeHolder = ({ action, pid }: LockHolder): string => `'${action}' (pid ${pid})`;
