// The generated reference pages are what the schemas say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generated } from '../../../scripts/dev/docs/generated.ts';

for (const [file, text] of generated()) {
  test(`${file} is current (npm run docs)`, () => {
    assert.equal(readFileSync(file, 'utf8'), text);
  });
}
