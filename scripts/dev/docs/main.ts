// `npm run docs`: writes the reference pages that are made from schemas. A test fails when they are not current.
import { writeFileSync } from 'node:fs';
import { atMost, readArgs, runCommand } from '../../../contract/runtime/command-line.ts';
import { generated } from './generated.ts';

const usage = `Usage: npm run docs
  writes the reference pages and JSON schemas that are made from the configuration's schemas`;

async function main(args: string[]): Promise<void> {
  atMost(0, readArgs(args, {}).positionals);
  for (const [file, text] of await generated()) {
    writeFileSync(file, text);
    console.log(`wrote ${file}`);
  }
}

await runCommand(usage, main);
