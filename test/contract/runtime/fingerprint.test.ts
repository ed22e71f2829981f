// Changed files have another fingerprint.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint } from '../../../contract/runtime/fingerprint.ts';

test('a file, or one in a folder, is changed, added, taken away; nothing of it throws', () => {
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-print-'));
  const file = join(folder, 'a.yaml');
  const seen = new Set<string>();
  const look = () => {
    const print = fingerprint([file], [folder, join(folder, 'none')]);
    const isNew = !seen.has(print);
    seen.add(print);
    return isNew;
  };
  assert.ok(look());
  assert.ok(!look());
  writeFileSync(file, 'a: 1');
  utimesSync(file, 1, 1);
  assert.ok(look());
  writeFileSync(file, 'a: 12');
  utimesSync(file, 1, 1);
  assert.ok(look(), 'another size');
  utimesSync(file, 2, 2);
  assert.ok(look(), 'another time');
  writeFileSync(join(folder, 'b.yaml'), '');
  assert.ok(look());
  rmSync(file);
  assert.ok(look());
  rmSync(folder, { recursive: true });
  assert.ok(look());
});
