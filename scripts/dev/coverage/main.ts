// npm run coverage: runs npm test and says how much of the code ran, by folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../contract/runtime/command-line.ts';
import { repoDir } from '../../ops/stack/instance.ts';
import { parseOptions } from '../test/options.ts';
import { readAddonReport } from './addons.ts';
import { addUp, bar, judge, namedFolders } from './folders.ts';
import { figuresLine, tableOf, verdictOf, type Language } from './report.ts';
import { readSources, sourceFigures, takeProcesses } from './sources.ts';

/** Gives the reason for each folder below the bar. */
const page = 'docs/testing.md';

const usage = `Usage: npm run coverage [-- OPTIONS OF npm test]
  Runs the tests and prints lines and branches by folder. Without options every folder has to reach ${bar} % of lines, or
  ${page} says why not: else exit 1, as for a test that fails. With options the figures are those of these tests alone.`;

const pauseMs = 2_000;

async function main(args: string[]): Promise<number> {
  parseOptions(args);
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-coverage-'));
  const processes = join(folder, 'processes');
  mkdirSync(processes);
  // Programs of npm start run as users of their own.
  for (const dir of [folder, processes]) chmodSync(dir, 0o1777);
  const addonReport = join(folder, 'addons.json');
  try {
    const sources = readSources();
    const collecting = setInterval(() => takeProcesses(processes, sources), pauseMs);
    const code = await runTests([...args, '--addon-coverage', addonReport], processes);
    clearInterval(collecting);
    takeProcesses(processes, sources);
    const languages: Language[] = [{ name: 'TypeScript', files: sourceFigures(sources) }];
    if (existsSync(addonReport))
      languages.push({ name: 'Odoo addons', files: readAddonReport(readFileSync(addonReport, 'utf8')) });
    const isReached = report(languages, args.length === 0);
    return code === 0 && isReached ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs npm test, whose processes and their children leave their coverage in the folder. */
async function runTests(args: readonly string[], processes: string): Promise<number | null> {
  const child = spawn(process.execPath, ['scripts/dev/test/main.ts', ...args], {
    cwd: repoDir,
    env: { ...process.env, NODE_V8_COVERAGE: processes },
    stdio: 'inherit',
  });
  // It ends what it started, and we report what has run so far. Ctrl-C reaches it by itself.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

/** Prints it all; true when every folder has reached the bar or its reason is given. Only a run of all tests is judged. */
function report(languages: readonly Language[], isWhole: boolean): boolean {
  const named = namedFolders(readFileSync(join(repoDir, page), 'utf8'));
  const verdict = judge(addUp(languages.flatMap(({ files }) => files)), named);
  const words = isWhole ? verdictOf(verdict, page) : ['only some of the tests ran: the bar is not asked for'];
  for (const line of ['', ...tableOf(languages), ...words, figuresLine(languages, verdict)])
    console.log(line);
  return !isWhole || verdict.unnamed.length === 0;
}

await runCommand(usage, main);
