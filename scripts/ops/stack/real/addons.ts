// Our Odoo addons as files: their names, and a hash that changes when any of them does.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repoDir } from '../instance.ts';
import { checkReadable } from '../readable.ts';

export const addonsDir = join(repoDir, 'odoo-addon-bridge');

/** Folders with a manifest, sorted. */
export function addonNames(): string[] {
  return readdirSync(addonsDir)
    .filter((name) => existsSync(join(addonsDir, name, '__manifest__.py')))
    .sort();
}

/** Hash of all that Odoo reads. Throws when a file is not readable for other users, as Odoo runs as one of its own. */
export function hashAddons(): string {
  const hash = createHash('sha256');
  const files = readdirSync(addonsDir, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of files) {
    if (name.includes('__pycache__')) continue;
    const file = join(addonsDir, name);
    checkReadable([file]);
    if (statSync(file).isFile()) hash.update(`${name}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
