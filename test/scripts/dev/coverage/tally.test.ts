// From V8's ranges to lines and branches of a source.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { pointsOf } from '../../../../scripts/dev/coverage/points.ts';
import {
  addProcess,
  figuresOf,
  newTally,
  type FunctionCoverage,
} from '../../../../scripts/dev/coverage/tally.ts';

const folder = mkdtempSync(join(tmpdir(), 'coverage-tally-'));
after(() => rmSync(folder, { recursive: true }));

/** What V8 itself says of a source that a process of its own ran with this argument. */
function ran(source: string, argument: string): FunctionCoverage[] {
  const file = join(folder, 'source.ts');
  writeFileSync(file, source);
  const dir = mkdtempSync(join(folder, 'v8-'));
  execFileSync(process.execPath, [file, argument], { env: { ...process.env, NODE_V8_COVERAGE: dir } });
  const scripts = readdirSync(dir).flatMap(
    (name) =>
      (
        JSON.parse(readFileSync(join(dir, name), 'utf8')) as {
          result: { url: string; functions: FunctionCoverage[] }[];
        }
      ).result,
  );
  return scripts.find(({ url }) => url === pathToFileURL(file).href)?.functions ?? [];
}

function figures(source: string, ...args: string[]) {
  const tally = newTally(pointsOf(source));
  for (const argument of args) addProcess(tally, ran(source, argument));
  return figuresOf('source.ts', tally);
}

const source = `// A comment.
import { argv } from 'node:process';
/** Neither is a type code. */
interface Shape {
  side: number;
}
type Name = string;

export function used(word: string): Shape {
  if (word === 'long') {
    return { side: word.length };
  }
  return { side: word === 'none' ? 0 : 1 };
}

export function unused(
  name: Name,
): Name {
  if (name === '') return name;
  else return name + name;
}

const word = argv[2] ?? 'none';
used(word);
switch (word) {
  case 'long':
  case 'longer':
    used('other');
    break;
  default:
    used('more');
}
`;

test('a source that nobody loads is not covered, and only code counts', () => {
  const { lines, branches, missed } = figures(source);
  assert.deepEqual(lines, { covered: 0, total: 16 });
  // Two ifs and a ?: with two ways each, ??, and two cases.
  assert.deepEqual(branches, { covered: 0, total: 9 });
  assert.equal(missed, '9-31');
});

test('lines and ways that one process ran', () => {
  const { lines, branches, missed } = figures(source, 'none');
  assert.equal(missed, '11, 16-20, 26-29');
  assert.deepEqual(lines, { covered: 7, total: 16 });
  // `if` not taken, both ways of ?:, the default.
  assert.deepEqual(branches, { covered: 4, total: 9 });
});

test('processes are added up', () => {
  const { branches, missed } = figures(source, 'none', 'long');
  assert.equal(missed, '16-20');
  // The argument was always given, and unused() never ran.
  assert.deepEqual(branches, { covered: 6, total: 9 });
});

test('types alone are no code', () => {
  assert.deepEqual(figures('export interface A {\n  b: string;\n}\nexport type C = A | undefined;\n').lines, {
    covered: 0,
    total: 0,
  });
});
