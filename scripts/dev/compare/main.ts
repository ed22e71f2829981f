// npm run compare -- COMMIT NAME… [--rounds N]: benchmarks of that commit and of this folder in turns, on one machine in one run.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readArgs, runCommand, UsageError, wholeNumber } from '../../../contract/runtime/command-line.ts';
import { repoDir } from '../../ops/stack/instance.ts';
import { compareFigures, type Figures } from './figures.ts';

const usage = `Usage: npm run compare -- COMMIT NAME… [--rounds N]
  COMMIT    the version before
  NAME      benchmarks, see npm run bench
  --rounds  how often each version runs each benchmark, in turns; the median counts (4)`;
const run = promisify(execFile);

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, { rounds: { type: 'string', default: '4' } });
  const [commit, ...names] = positionals;
  const rounds = wholeNumber('--rounds', values.rounds, 1, 100);
  if (commit === undefined || names.length === 0)
    throw new UsageError('COMMIT and at least one NAME expected');
  await run('git', ['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], { cwd: repoDir }).catch(() => {
    throw new UsageError(`there is no commit ${commit}`);
  });
  const folder = join(mkdtempSync(join(tmpdir(), 'smart-dairy-compare-')), 'before');
  await run('git', ['worktree', 'add', '--detach', folder, commit], { cwd: repoDir });
  try {
    console.error(`installing ${commit} in ${folder}`);
    await run('bash', ['scripts/run.sh', 'install'], { cwd: folder });
    for (const name of names) {
      const before: Figures[] = [];
      const after: Figures[] = [];
      for (let round = 0; round < rounds; round++) {
        // Neither version is always the second, which a machine that slows down would make the slower one.
        const isOldFirst = round % 2 === 0;
        if (isOldFirst) before.push(await bench(folder, name));
        after.push(await bench(repoDir, name));
        if (!isOldFirst) before.push(await bench(folder, name));
      }
      console.log(JSON.stringify({ compare: name, commit, rounds, figures: compareFigures(before, after) }));
    }
  } finally {
    await run('git', ['worktree', 'remove', '--force', folder], { cwd: repoDir });
  }
}

/** Runs one benchmark in a folder; its last line of JSON. */
async function bench(folder: string, name: string): Promise<Figures> {
  console.error(`${name} in ${folder}`);
  const child = spawn('bash', ['scripts/run.sh', 'bench', name, '--quick'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  const last = text.trim().split('\n').at(-1) ?? '';
  if (code !== 0 || !last.startsWith('{')) throw new Error(`bench ${name} failed in ${folder}:\n${text}`);
  return JSON.parse(last) as Figures;
}

await runCommand(usage, main);
