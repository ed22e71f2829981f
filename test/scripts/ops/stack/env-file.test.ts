// The env file: what a shell reads from it is what was put in, and only its owner can read it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatEnv, parseEnv } from '../../../../scripts/ops/stack/env-file.ts';
import { newSecrets, writePrivate } from '../../../../scripts/ops/stack/instance.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-env-'));
after(() => rmSync(dir, { recursive: true }));

test('reading gives back what was written', () => {
  const line = fc.string().filter((value) => !/[\n\r\0]/.test(value));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z][A-Z_]*$/), line), (values) => {
      assert.deepEqual(parseEnv(formatEnv(values)), { ...values });
    }),
  );
});

test('a shell that sources it sees the same values', () => {
  const values = {
    PLAIN: 'postgres://a:b-c_d@127.0.0.1:5432/x',
    ODD: `it's $HOME; "quoted" \`x\``,
    EMPTY: '',
  };
  const file = join(dir, 'env');
  writeFileSync(file, formatEnv(values));
  const script = `. "${file}"; printf '%s\\n' "$PLAIN" "$ODD" "$EMPTY"`;
  assert.equal(
    execFileSync('sh', ['-c', script], { encoding: 'utf8' }),
    `${Object.values(values).join('\n')}\n`,
  );
});

test('private files are readable by their owner only', () => {
  const file = join(dir, 'private');
  writePrivate(file, 'secret');
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('every secret is its own, and needs no escaping in a URL', () => {
  const secrets = [...Object.values<string>(newSecrets()), ...Object.values<string>(newSecrets())];
  assert.equal(new Set(secrets).size, secrets.length);
  assert.ok(secrets.every((secret) => encodeURIComponent(secret) === secret));
});
