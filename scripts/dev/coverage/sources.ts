// The tallies of all TypeScript sources, fed from the files that V8 leaves behind.
import { globSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repoDir } from '../../ops/stack/instance.ts';
import { pointsOf } from './points.ts';
import {
  addProcess,
  figuresOf,
  newTally,
  type FileFigures,
  type FunctionCoverage,
  type Tally,
} from './tally.ts';

const folders = '{contract,connector,gateways,scripts}';

/** Path in the repository → tally. */
export type Sources = ReadonlyMap<string, Tally>;

/** All sources of the product, as if nothing had run yet: what no process loads counts as not covered. */
export function readSources(): Sources {
  const files = globSync(`${folders}/**/*.ts`, { cwd: repoDir }).sort();
  const read = (file: string): Tally => newTally(pointsOf(readFileSync(join(repoDir, file), 'utf8')));
  return new Map(files.map((file) => [file, read(file)]));
}

/** Adds every file of the folder that is complete, and deletes it: one of each process would fill the disk. Returns how many. */
export function takeProcesses(folder: string, sources: Sources): number {
  let taken = 0;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const scripts = readScripts(file);
    // Its process still writes it, or was killed while it wrote.
    if (scripts === undefined) continue;
    for (const { url, functions } of scripts) {
      const tally = sources.get(pathOf(url));
      if (tally !== undefined) addProcess(tally, functions);
    }
    rmSync(file);
    taken += 1;
  }
  return taken;
}

interface Script {
  url: string;
  functions: FunctionCoverage[];
}

function readScripts(file: string): Script[] | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { result: Script[] }).result;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Also of a clone that a test makes, and of this folder as programs with users of their own see it. */
export function pathOf(url: string): string {
  if (!url.startsWith('file:') || url.includes('/node_modules/')) return '';
  const path = fileURLToPath(url);
  if (path.startsWith(`${repoDir}/`) && !path.startsWith(`${repoDir}/.stack/`))
    return path.slice(repoDir.length + 1);
  return /\/((?:contract|connector|gateways|scripts)\/.*)/.exec(path)?.[1] ?? '';
}

/** The figures of each source. */
export const sourceFigures = (sources: Sources): FileFigures[] =>
  [...sources].map(([file, tally]) => figuresOf(file, tally));
