// What processes leave behind: taken when it is complete, and gone then.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  readSources,
  pathOf,
  sourceFigures,
  takeProcesses,
} from '../../../../scripts/dev/coverage/sources.ts';
import { repoDir } from '../../../../scripts/ops/stack/instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'coverage-sources-'));
after(() => rmSync(folder, { recursive: true }));
const file = 'contract/near-match.ts';
const url = pathToFileURL(join(repoDir, file)).href;

test('a complete file is added and deleted, one that is still written waits', () => {
  const sources = readSources();
  const functions = [{ ranges: [{ startOffset: 0, endOffset: 1_000_000, count: 1 }] }];
  const left = JSON.stringify({
    result: [
      { url, functions },
      { url: 'node:fs', functions },
    ],
  });
  writeFileSync(join(folder, 'coverage-1.json'), left);
  writeFileSync(join(folder, 'coverage-2.json'), left.slice(0, 40));
  assert.equal(takeProcesses(folder, sources), 1);
  assert.deepEqual(readdirSync(folder), ['coverage-2.json']);
  for (const { file: name, lines } of sourceFigures(sources))
    assert.equal(lines.covered, name === file ? lines.total : 0, name);
});

test('sources count wherever a process sees them, packages do not', () => {
  assert.equal(pathOf(url), file);
  assert.equal(pathOf(`file://${repoDir}/.stack/start-1/connector/start/api.ts`), 'connector/start/api.ts');
  assert.equal(pathOf('file:///mnt/app/gateways/main.ts'), 'gateways/main.ts');
  assert.equal(pathOf(`file://${repoDir}/node_modules/x/scripts/a.ts`), '');
  assert.equal(pathOf('node:fs'), '');
});
