// Between picking a port and listening on it there are seconds: meanwhile a claim keeps other clones from the same port.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './instance.ts';

/** Long enough for the slowest start; afterwards a service listens, or the start has failed. */
const claimMs = 180_000;

/** Claims a port for `owner`, any text that no other clone has. False when somebody else's claim holds. */
export function claimPort(port: number, owner: string, dir = join(cacheDir(), 'ports')): boolean {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, String(port));
  if (holds(file, owner)) return false;
  rmSync(file, { force: true });
  try {
    writeFileSync(file, owner, { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

function holds(file: string, owner: string): boolean {
  try {
    return readFileSync(file, 'utf8') !== owner && Date.now() - statSync(file).mtimeMs < claimMs;
  } catch {
    return false;
  }
}
