// Odoo, and the programs of a start by root, run as users of their own: a clone that was made with umask 077 is closed to them.
import { statSync } from 'node:fs';
import { repoDir } from './instance.ts';

/** Throws when other users cannot read these files and folders; the error says what to run. */
export function checkReadable(paths: readonly string[]): void {
  for (const path of paths) {
    const stat = statSync(path);
    const needed = stat.isDirectory() ? 0o005 : 0o004;
    if ((stat.mode & needed) === needed) continue;
    // All but what has to stay closed.
    const open = `find ${repoDir} -name .git -prune -o -name .stack -prune -o -exec chmod o+rX {} +`;
    throw new Error(
      `${path} is closed to other users, and Odoo and our programs run as users of their own: run\n  ${open}\nthen start again`,
    );
  }
}
