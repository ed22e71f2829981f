// Tells a process from a later one with the same pid, so that we never end a stranger's.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessId {
  pid: number;
  /** Boot id and start time in clock ticks since boot: together with the pid unique for the life of the machine. */
  started: string;
}

/** Identity of a running process, undefined when there is none with this pid. */
export function identify(pid: number): ProcessId | undefined {
  const started = startTime(String(pid));
  return started === undefined ? undefined : { pid, started };
}

/** Our own identity as the machine sees it, also from inside a pid namespace. */
export function identifySelf(): ProcessId {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const started = startTime('self');
  if (started === undefined) throw new Error('cannot read /proc/self/stat: is /proc mounted?');
  return { pid: Number.parseInt(stat, 10), started };
}

/** `PID@STARTED`, for a command line. */
export const formatProcessId = ({ pid, started }: ProcessId): string => `${pid}@${started}`;

/** Reads what formatProcessId wrote. Throws when it is something else. */
export function parseProcessId(text = ''): ProcessId {
  const [pid = '', started = ''] = text.split('@');
  if (!/^\d+$/.test(pid) || started === '') throw new Error(`${text} is no process id`);
  return { pid: Number(pid), started };
}

/** True while exactly this process runs; a zombie does not run. */
export function isAlive(id: ProcessId): boolean {
  return startTime(String(id.pid)) === id.started;
}

/** Ends exactly this process: `signal` first, SIGKILL when it is still there after `graceMs`. */
export async function endProcess(id: ProcessId, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!isAlive(id)) return;
  send(id, signal);
  const deadline = Date.now() + graceMs;
  while (isAlive(id)) {
    if (Date.now() > deadline) send(id, 'SIGKILL');
    await sleep(50);
  }
}

function send(id: ProcessId, signal: NodeJS.Signals): void {
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startTime(pid: string): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the name in brackets, may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const ticks = fields[19];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}`;
}
