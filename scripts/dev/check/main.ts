// `npm run check`: types, lint, formatting, import rules, unused code, Odoo addons. Runs all, shows the output of those that fail.
import { execFile } from 'node:child_process';
import { atMost, readArgs, runCommand } from '../../../contract/runtime/command-line.ts';

const checks = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  {
    name: 'lint',
    command: [
      'eslint',
      '.',
      '--max-warnings=0',
      '--cache',
      '--cache-location',
      'node_modules/.cache/eslintcache',
    ],
  },
  { name: 'format', command: ['prettier', '--check', '--log-level=warn', '.'] },
  {
    name: 'import rules',
    command: [
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      'contract',
      'connector',
      'gateways',
      'scripts',
      'test',
    ],
  },
  { name: 'unused code', command: ['knip', '--no-progress'] },
  { name: 'Odoo addons', command: ['node', 'scripts/dev/check/odoo-addons.ts'] },
] as const;

function run([tool, ...args]: readonly [string, ...string[]]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(`node_modules/.bin/${tool}`, args, { maxBuffer: 64_000_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}

const usage = `Usage: npm run check
  ${checks.map(({ name }) => name).join(', ')}: runs all, shows the output of those that fail`;

async function main(args: string[]): Promise<number> {
  atMost(0, readArgs(args, {}).positionals);
  let failed = 0;
  for (const { name, command } of checks) {
    const startedAt = performance.now();
    const { code, output } = await run(command);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
    if (code !== 0) failed += 1;
    if (code !== 0 || output.startsWith('skipped')) console.log(output.trimEnd());
  }
  if (failed > 0)
    console.log(`${failed} of ${checks.length} checks failed. Formatting is mended by: npm run format`);
  return failed > 0 ? 1 : 0;
}

await runCommand(usage, main);
