// Whether files have changed. Looking is more reliable than fs.watch: editors replace files, and containers mount them.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';

/** Another text whenever one of the files, or anything in the folders, has changed. Never throws. */
export function fingerprint(files: readonly string[], folders: readonly string[]): string {
  const looked = [...files];
  for (const folder of folders) {
    try {
      looked.push(...readdirSync(folder).map((name) => join(folder, name)));
    } catch (error) {
      looked.push(messageOf(error));
    }
  }
  return looked
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return `${path} ${found?.mtimeMs ?? ''} ${found?.size ?? ''}`;
    })
    .join('\n');
}
