// Headless Chromium from the cache, for tests and screenshots: unpacked at its first use, some 15 seconds.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { recipeDir, rootDir, runRecipe } from '../real/root.ts';
import type { Report } from '../types.ts';

const recipe = join(import.meta.dirname, 'unpack.sh');

/** How to start it: a program that takes Chromium's arguments, and the environment that it needs. */
export interface BrowserCommand {
  program: string;
  env: Record<string, string>;
}

/** Fetches the browser when it is missing. Needs the private root, and its rights. */
export async function ensureBrowser(report: Report): Promise<BrowserCommand> {
  const dir = recipeDir('browser', recipe);
  if (!existsSync(dir)) await runRecipe([recipe, dir, rootDir()], (step) => report(`browser: ${step}`));
  const path = process.env['PATH'] ?? '';
  return {
    program: join(import.meta.dirname, 'chromium.sh'),
    env: { PATH: path, SMART_DAIRY_BROWSER: dir },
  };
}
