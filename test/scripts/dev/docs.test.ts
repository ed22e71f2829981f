// The generated reference pages are what the schemas say, and every key of them says what it means.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { generated } from '../../../scripts/dev/docs/generated.ts';

const files = await generated();

for (const [file, text] of files) {
  test(`${file} is current (npm run docs)`, () => {
    assert.equal(readFileSync(file, 'utf8'), text);
  });
}

describe('configuration.md', () => {
  const page = files.get('docs/configuration.md') ?? '';

  test('has a section for every protocol of the gateway', () => {
    const [, gateway = ''] = page.split('\n## gateway.yaml\n');
    for (const name of ['modbus', 'lorawan', 'rfid', 'http', 'coap'])
      assert.match(gateway, new RegExp(`^### ${name}$`, 'm'));
  });

  test('explains every key', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    assert.ok(rows.length > 100);
    assert.deepEqual(
      rows.filter((row) => / \|\s+\|$/.test(row)),
      [],
    );
  });
});

for (const name of ['connector', 'gateway'])
  test(`config/${name}.yaml names its schema for editors`, () => {
    const [first] = readFileSync(`config/${name}.yaml`, 'utf8').split('\n');
    assert.equal(first, `# yaml-language-server: $schema=schema/${name}.schema.json`);
  });
