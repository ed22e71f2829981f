// Python's coverage around Odoo. It is no part of the private root: unpacked into the cache at its first use, copied for one run
// into the folder that Odoo sees as /srv/odoo.
import { copyFileSync, cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Chroot } from '../../ops/stack/real/chroot.ts';
import { recipeDir, rootDir, runRecipe } from '../../ops/stack/real/root.ts';

const recipe = join(import.meta.dirname, 'python-coverage.sh');
/** Where Debian's packages have Python's. */
const packages = 'usr/lib/python3/dist-packages';

type Command = [string, ...string[]];

/** Python's coverage as files, fetched when they are missing. */
export async function fetchCoverage(): Promise<string> {
  const dir = recipeDir('python-coverage', recipe);
  if (!existsSync(dir)) await runRecipe([recipe, dir, rootDir()], console.log);
  return dir;
}

interface Covering {
  /** From `fetchCoverage`. */
  unpacked: string;
  world: Chroot;
  /** /srv/odoo as the machine sees it. */
  home: string;
  /** The addons that count. */
  names: readonly string[];
  /** Where the report goes. */
  file: string;
  logFile: string;
  run: (command: Command, logFile: string, env: Record<string, string>) => Promise<number | null>;
}

/** Runs a Python program of the root; its exit code. Writes what it ran of the addons, as JSON. */
export async function runCovered(program: Command, covering: Covering): Promise<number | null> {
  const { unpacked, world, home, names, file, logFile, run } = covering;
  const dir = join(home, 'coverage');
  const place = '/srv/odoo/coverage';
  rmSync(dir, { recursive: true, force: true });
  cpSync(join(unpacked, 'fs', packages), dir, { recursive: true });
  world.own(dir, 'odoo');
  const coverage = (verb: string, ...args: string[]): Command => [
    ...(['python3', '-m', 'coverage', verb] as const),
    `--data-file=${place}/data`,
    ...args,
  ];
  const env = { PYTHONPATH: place };
  try {
    const code = await run(coverage('run', ...optionsFor(names), ...program), logFile, env);
    const reportLog = `${logFile}.coverage`;
    const reported = await run(coverage('json', '-o', `${place}/report.json`), reportLog, env);
    // Of a run that was killed there is nothing to report: its own end says more.
    if (reported === 0) copyFileSync(join(dir, 'report.json'), file);
    else console.error(`there is no coverage of the addons: read ${reportLog}`);
    return code;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Tests are not what is tested; migrations run once, on a database of the version before; a manifest is data. */
const optionsFor = (names: readonly string[]): string[] => [
  '--branch',
  `--source=${names.map((name) => `/srv/addons/${name}`).join(',')}`,
  '--omit=*/tests/*,*/migrations/*,*/__manifest__.py',
];
