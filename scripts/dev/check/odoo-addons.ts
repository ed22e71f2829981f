// Part of `npm run check`: pylint-odoo over the Odoo addons, from PyPI, in a virtual environment in the cache folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../ops/stack/instance.ts';
import { addonNames, addonsDir } from '../../ops/stack/real/addons.ts';

const packages = ['pylint-odoo==10.0.12', 'pylint==4.0.10'];
const home = join(cacheDir(), packages.join('-').replaceAll('==', '-'));
const pylint = join(home, 'bin', 'pylint');

/** Makes the virtual environment. Returns why it cannot be made. */
function install(): string | undefined {
  const python = spawnSync('python3', [
    '-c',
    'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))',
  ]);
  if (python.status !== 0) return 'it needs python3 (3.10 or newer) with venv and pip';
  mkdirSync(cacheDir(), { recursive: true, mode: 0o700 });
  const made = spawnSync('python3', ['-m', 'venv', '--clear', home], { encoding: 'utf8' });
  if (made.status !== 0) return `python3 -m venv failed: ${made.stderr.trim()}`;
  const pip = join(home, 'bin', 'pip');
  const got = spawnSync(pip, ['install', '--quiet', '--disable-pip-version-check', ...packages], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (got.status === 0) return undefined;
  rmSync(home, { recursive: true, force: true });
  return `pip could not install ${packages.join(' ')}: ${got.stderr.trim().split('\n').at(-1) ?? ''}`;
}

const problem = existsSync(pylint) ? undefined : install();
if (problem !== undefined) {
  console.log(`skipped: ${problem}`);
} else {
  // A model may be spread over files, one concern each.
  const args = ['--rcfile=.pylintrc', '--disable=consider-merging-classes-inherited', ...addonNames()];
  const { status, stdout, stderr } = spawnSync(pylint, args, { cwd: addonsDir, encoding: 'utf8' });
  process.stdout.write(stdout + stderr);
  process.exitCode = status ?? 1;
}
