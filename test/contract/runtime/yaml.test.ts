// A wrong file is answered with file:line:column, the path, what was expected and a near match: the exact texts.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import * as z from 'zod';
import { AppError } from '../../../contract/errors.ts';
import { loadYaml } from '../../../contract/runtime/yaml.ts';

const folder = mkdtempSync(join(tmpdir(), 'yaml-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'file.yaml');

const device = z.strictObject({ uid: z.string(), size: z.number().positive().optional() });
const schema = z.strictObject({
  name: z.string(),
  count: z.int().default(1),
  mode: z.enum(['auto', 'plain']).default('auto'),
  nested: z.strictObject({ devices: z.array(device).default([]) }).prefault({}),
  grid: z.array(z.array(z.number())).optional(),
  event: z
    .union([
      z.enum(['start', 'end']),
      z.strictObject({ pointer: z.string(), values: z.record(z.string(), z.enum(['open', 'shut'])) }),
    ])
    .optional(),
  registers: z.record(z.string(), z.int()).optional(),
});

function load(text: string, environment?: Record<string, string>) {
  writeFileSync(file, text);
  return loadYaml(file, schema, environment);
}

function complaint(text: string): string {
  try {
    load(text);
  } catch (error) {
    assert.ok(error instanceof AppError && error.kind === 'invalid');
    return error.message.replaceAll(`${folder}/`, '');
  }
  return 'nothing';
}

const cases: Record<string, Record<string, string>> = {
  'misspelt keys': {
    'name: x\ncuont: 1': "file.yaml:2:1: cuont: unknown key; did you mean 'count'?",
    'name: x\nnested:\n  devices:\n    - uid: a\n      sise: 1':
      "file.yaml:5:7: nested.devices[0].sise: unknown key; did you mean 'size'?",
    // Meant as name, but name is there already.
    'name: x\nnaem: y':
      'file.yaml:2:1: naem: unknown key; known: name, count, mode, nested, grid, event, registers',
    'nmae: x':
      "file.yaml:1:1: name: is missing (string expected)\nfile.yaml:1:1: nmae: unknown key; did you mean 'name'?",
  },
  'wrong types': {
    'name: 5': 'file.yaml:1:1: name: string expected, found 5',
    'count: many\nname: x': 'file.yaml:1:1: count: number expected, found "many"',
    'name: x\ncount: 1.5': 'file.yaml:2:1: count: int expected, found 1.5',
    'name: x\nnested:': 'file.yaml:2:1: nested: object expected, found null',
    'name: x\nnested:\n  devices: { uid: a }':
      'file.yaml:3:3: nested.devices: array expected, found a section',
    'name: x\nnested: [{ password: secret }]': 'file.yaml:2:1: nested: object expected, found a list',
    'just text': 'file.yaml:1:1: object expected, found "just text"',
    '- a': 'file.yaml:1:1: object expected, found a list',
    // YAML makes this key a number; the file's keys are text.
    'name: x\nregisters: { 17: high }': 'file.yaml:2:14: registers.17: number expected, found "high"',
  },
  'missing keys': {
    '': 'file.yaml:1:1: name: is missing (string expected)',
    '# nothing but a remark\n': 'file.yaml:1:1: name: is missing (string expected)',
    'name: x\nnested:\n  devices:\n    - { uid: a }\n    - { size: 2 }':
      'file.yaml:5:7: nested.devices[1].uid: is missing (string expected)',
  },
  'wrong values': {
    'name: x\nmode: plian': "file.yaml:2:1: mode: must be one of auto, plain; did you mean 'plain'?",
    'name: x\nmode: 7': 'file.yaml:2:1: mode: must be one of auto, plain',
    'name: x\nnested: { devices: [{ uid: a, size: -1 }] }':
      'file.yaml:2:31: nested.devices[0].size: Too small: expected number to be >0',
  },
  'nested arrays': {
    'name: x\ngrid:\n  - [1, 2]\n  - [3, four]': 'file.yaml:4:9: grid[1][1]: number expected, found "four"',
    'name: x\ngrid: [[1], 2]': 'file.yaml:2:13: grid[1]: array expected, found 2',
  },
  unions: {
    'name: x\nevent: strat': "file.yaml:2:1: event: must be one of start, end; did you mean 'start'?",
    'name: x\nevent: 5': 'file.yaml:2:1: event: must be one of start, end',
    'name: x\nevent:\n  pointer: /a\n  values: { a: open, b: shot }':
      "file.yaml:4:22: event.values.b: must be one of open, shut; did you mean 'shut'?",
    'name: x\nevent:\n  pointer: /a\n  value: {}\n':
      "file.yaml:2:1: event.values: is missing (record expected)\nfile.yaml:4:3: event.value: unknown key; did you mean 'values'?",
    'name: x\nevent: { pointer: /a, values: {}, extra: 1 }':
      'file.yaml:2:35: event.extra: unknown key; known: pointer, values',
  },
  'broken YAML': {
    'name: [1':
      'file.yaml:1:9: Flow sequence in block collection must be sufficiently indented and end with a ]',
    'name: "a': 'file.yaml:1:9: Missing closing "quote',
    'name: x\nname: y': 'file.yaml:2:1: Map keys must be unique',
    'name: x\n\tcount: 1': 'file.yaml:2:1: Tabs are not allowed as indentation',
    'name: *nobody': 'file.yaml:1:7: there is no anchor &nobody before this alias',
  },
  environment: {
    'name: ${NOT_SET}': 'file.yaml:1:7: environment variable NOT_SET is not set',
    'name: x\nnested:\n  devices:\n    - uid: a-${ONE}-${TWO}\n':
      'file.yaml:4:12: environment variable ONE is not set\nfile.yaml:4:12: environment variable TWO is not set',
  },
};

for (const [kind, texts] of Object.entries(cases)) {
  describe(kind, () => {
    for (const [text, message] of Object.entries(texts))
      test(JSON.stringify(text), () => assert.equal(complaint(text), message));
  });
}

test('of the shapes that a value may have, the one that takes its type is told about', () => {
  writeFileSync(file, 'size: smal');
  const sizes = z.strictObject({
    size: z.union([z.strictObject({ kg: z.number() }), z.number(), z.enum(['big', 'small'])]),
  });
  assert.throws(() => loadYaml(file, sizes), {
    message: `${file}:1:1: size: must be one of big, small; did you mean 'small'?`,
  });
});

test('all problems of a file are told at once', () => {
  assert.equal(complaint('name: 1\ncount: x\nmode: y').split('\n').length, 3);
});

test('variables are put into strings, with fallbacks, and their content is not read as YAML', () => {
  const environment = { HOST: 'db', PASSWORD: "p: '#@{[", EMPTY: '' };
  const name = (text: string) => load(`name: ${text}`, environment).value.name;
  assert.equal(name('postgres://${HOST}:5432/x'), 'postgres://db:5432/x');
  assert.equal(name('${PASSWORD}'), "p: '#@{[");
  assert.equal(name('${EMPTY:-fallback}'), 'fallback');
  assert.equal(name('"${NOT_SET:-}"'), '');
  assert.equal(name('$HOST costs $5'), '$HOST costs $5');
});

test('defaults are filled in, and a later complaint finds its place', () => {
  const { value, complain } = load('name: x\nnested:\n  devices:\n    - { uid: a, size: 2 }\n');
  assert.deepEqual(value, {
    name: 'x',
    count: 1,
    mode: 'auto',
    nested: { devices: [{ uid: 'a', size: 2 }] },
  });
  assert.equal(complain(['nested', 'devices', 0, 'size'], 'no'), `${file}:4:17: nested.devices[0].size: no`);
  assert.equal(complain(['nested', 'devices', 3], 'no'), `${file}:3:3: nested.devices[3]: no`);
});

test('a file that is not there', () => {
  assert.throws(() => loadYaml(join(folder, 'none.yaml'), schema), {
    kind: 'invalid',
    message: `${folder}/none.yaml: cannot be read. Does it exist, and may this user read it?`,
  });
});
