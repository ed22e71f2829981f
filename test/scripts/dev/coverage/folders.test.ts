// Figures by folder, the bar, and what is printed of them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readAddonReport } from '../../../../scripts/dev/coverage/addons.ts';
import { addUp, folderOf, judge, namedFolders, percent } from '../../../../scripts/dev/coverage/folders.ts';
import { figuresLine, tableOf, verdictOf } from '../../../../scripts/dev/coverage/report.ts';
import type { FileFigures } from '../../../../scripts/dev/coverage/tally.ts';

const file = (name: string, covered: number, total: number): FileFigures => ({
  file: name,
  lines: { covered, total },
  branches: { covered: covered / 2, total },
  missed: covered < total ? '7' : '',
});

const files = [
  file('connector/rest/server.ts', 80, 100),
  file('connector/rest/auth.ts', 20, 20),
  file('connector/main.ts', 4, 10),
  file('connector/odoo/mapping/alert.ts', 10, 10),
  file('contract/types.ts', 0, 0),
];
const page =
  '| folder | why |\n|---|---|\n| `connector/rest` | once it was |\n| `connector` | a table of contents |\n';

test('a folder is a part of the house', () => {
  assert.equal(folderOf('connector/main.ts'), 'connector');
  assert.equal(folderOf('connector/odoo/mapping/alert.ts'), 'connector/odoo');
  assert.equal(folderOf('scripts/ops/stack/real/root.ts'), 'scripts/ops/stack');
  assert.equal(
    folderOf('odoo-addon-bridge/smart_dairy_iot/models/a.py'),
    'odoo-addon-bridge/smart_dairy_iot/models',
  );
});

test('files are added up by folder; those without code count nowhere', () => {
  const folders = addUp(files).map(({ folder, files: count, lines }) => [folder, count, percent(lines)]);
  assert.deepEqual(folders, [
    ['connector', 1, 40],
    ['connector/odoo', 1, 100],
    ['connector/rest', 2, 83.3],
  ]);
});

test('a share is rounded down: 84.99 % is below 85', () => {
  assert.equal(percent({ covered: 8499, total: 10_000 }), 84.9);
  assert.equal(percent({ covered: 85, total: 100 }), 85);
  assert.equal(percent({ covered: 0, total: 0 }), 100);
});

test('who is below the bar needs a reason, and who is not needs none', () => {
  const named = namedFolders(page);
  assert.equal(named.get('connector'), 'a table of contents');
  assert.deepEqual(judge(addUp(files), named), {
    below: ['connector', 'connector/rest'],
    unnamed: [],
    needless: [],
  });
  const better = judge(
    addUp([file('connector/rest/server.ts', 90, 100), file('gateways/main.ts', 0, 9)]),
    named,
  );
  assert.deepEqual(better, {
    below: ['gateways'],
    unnamed: ['gateways'],
    needless: ['connector/rest', 'connector'],
  });
  assert.equal(verdictOf(better, 'docs/x.md').length, 3);
});

test('the folders that docs/testing.md names exist', () => {
  const named = namedFolders(readFileSync('docs/testing.md', 'utf8'));
  for (const folder of named.keys()) assert.ok(existsSync(folder), folder);
});

test("Python's report is read", () => {
  const report = {
    files: {
      'srv/addons/smart_dairy_iot/models/farm.py': {
        missing_lines: [7, 8],
        summary: { covered_lines: 8, num_statements: 10, covered_branches: 1, num_branches: 2 },
      },
    },
  };
  assert.deepEqual(readAddonReport(JSON.stringify(report)), [
    {
      file: 'odoo-addon-bridge/smart_dairy_iot/models/farm.py',
      lines: { covered: 8, total: 10 },
      branches: { covered: 1, total: 2 },
      missed: '7, 8',
    },
  ]);
});

test('a table by folder with the sum of each language, the low files, and one line of JSON', () => {
  const languages = [
    { name: 'TypeScript', files },
    { name: 'Odoo addons', files: [file('odoo-addon-bridge/smart_dairy_iot/models/farm.py', 9, 10)] },
  ];
  const table = tableOf(languages).join('\n');
  assert.match(table, /^connector\/rest +2 +83\.3 % +41\.6 %$/m);
  assert.match(table, /^TypeScript +4 +81\.4 % +40\.7 %$/m);
  assert.match(table, /^ {2}connector\/main\.ts 40\.0 %: 7$/m);
  const verdict = judge(addUp(files), new Map());
  assert.deepEqual(JSON.parse(figuresLine(languages, verdict)), {
    coverage: {
      typescript: { files: 4, lines: 81.4, branches: 40.7 },
      odoo_addons: { files: 1, lines: 90, branches: 45 },
    },
    bar: 85,
    below: ['connector', 'connector/rest'],
    unnamed: ['connector', 'connector/rest'],
  });
});
