// A clone's claim keeps other clones from its ports: before its services listen, and while a test has stopped one of them.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, readJson } from './instance.ts';
import { isAlive, type ProcessId } from './process-id.ts';

/** Longer than the slowest start takes until the daemon's file is there. */
const startMs = 180_000;

/**
 * Claims a port for the instance whose daemon writes `daemonFile`. False when another one's claim holds: it is young, or
 * its daemon runs.
 */
export function claimPort(port: number, daemonFile: string, dir = join(cacheDir(), 'ports')): boolean {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, String(port));
  if (isHeld(file, daemonFile)) return false;
  rmSync(file, { force: true });
  try {
    writeFileSync(file, daemonFile, { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

function isHeld(file: string, mine: string): boolean {
  try {
    const owner = readFileSync(file, 'utf8');
    if (owner === mine) return false;
    if (Date.now() - statSync(file).mtimeMs < startMs) return true;
    const daemon = readJson(owner) as ProcessId | undefined;
    return daemon !== undefined && isAlive(daemon);
  } catch {
    return false;
  }
}
