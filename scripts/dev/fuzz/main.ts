// npm run fuzz [-- WORD …] [--runs N]: random and mutated inputs for every decoder, a million each, and one line of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { readArgs, runCommand, UsageError, wholeNumber } from '../../../contract/runtime/command-line.ts';

const usage = `Usage: npm run fuzz [-- WORD …] [--runs N]
  WORD    only decoders whose test file has the word in its path: modbus, lorawan, rfid, coap, shared (HTTP), decode, raw,
          milkings (generated days, at most 10000)
  --runs  inputs a decoder gets (1000000)`;

/** A decoder that hangs is found by this. */
const longestMs = 60 * 60_000;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    runs: { type: 'string', default: '1000000' },
  });
  const runs = wholeNumber('--runs', values.runs, 1, 1e9);
  const files = globSync('test/**/*fuzz.test.ts')
    .filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)))
    .sort();
  if (files.length === 0)
    throw new UsageError(`no decoder has ${positionals.map((word) => `'${word}'`).join(' or ')} in its path`);
  let failed = 0;
  for (const file of files) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--test', `--test-timeout=${longestMs}`, file], {
      env: { ...process.env, FUZZ_RUNS: String(runs) },
      stdio: 'inherit',
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) failed++;
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(JSON.stringify({ fuzz: file, runs, seconds, failed: code !== 0 }));
  }
  if (failed > 0) process.exitCode = 1;
}

await runCommand(usage, main);
