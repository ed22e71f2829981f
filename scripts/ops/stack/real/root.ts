// The private root file system: built once per recipe, kept in the cache, shared by all instances, never written to.
// Other parts of the cache are made by recipes in the same way.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheDir } from '../instance.ts';
import type { Report } from '../types.ts';

const recipe = join(import.meta.dirname, 'root.sh');

/** Folder in the cache for what a recipe makes: a changed recipe has another. */
export function recipeDir(name: string, file: string): string {
  const hash = createHash('sha256').update(readFileSync(file)).update(arch()).digest('hex').slice(0, 12);
  return join(cacheDir(), `${name}-${hash}`);
}

/** Folder of the root that belongs to the present recipe: `fs` is the file system, `seed` a prepared database. */
export const rootDir = (): string => recipeDir('root', recipe);

/** Command prefix for a world of its own: mounts and processes in it vanish when it ends. */
export const namespaceCommand = [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  '--pid',
  '--fork',
  '--kill-child',
] as const;

/** Builds the root when it is missing: some two minutes. Throws with the log's place when that fails. */
export async function ensureRoot(report: Report, signal?: AbortSignal): Promise<void> {
  const dir = rootDir();
  if (existsSync(dir)) return;
  report('building the private root (once, about two minutes)');
  await runRecipe([recipe, dir], (step) => report(`private root: ${step}`), signal);
}

/** Runs a recipe, `[file, folder it makes, more arguments]`, in namespaces of its own. Throws with the log's place when it fails. */
export async function runRecipe(
  [file, dir, ...more]: [string, string, ...string[]],
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  mkdirSync(cacheDir(), { recursive: true, mode: 0o700 });
  const [program, ...args] = [...namespaceCommand, 'bash', file, dir, ...more];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], signal });
  createInterface(child.stdout).on('line', report);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code !== 0) throw new Error(`${dir} could not be built: read ${dir}.log, then run this again`);
}
