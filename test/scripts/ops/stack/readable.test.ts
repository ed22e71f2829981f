// A clone that only root can read: said at the start, with the command that opens it and leaves what is secret closed.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkReadable } from '../../../../scripts/ops/stack/readable.ts';

test('a file or folder that other users cannot read is named, with what to run', () => {
  const dir = mkdtempSync(join(tmpdir(), 'readable-'));
  const [folder, file] = [join(dir, 'folder'), join(dir, 'file')];
  mkdirSync(folder);
  writeFileSync(file, '');
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  checkReadable([folder, file]);
  chmodSync(file, 0o600);
  assert.throws(
    () => checkReadable([folder, file]),
    /file is closed to other users[^]*\n {2}find .* -name \.stack -prune .*chmod o\+rX/,
  );
  // Readable, but nobody may go in.
  chmodSync(folder, 0o744);
  assert.throws(() => checkReadable([folder]), /folder is closed to other users/);
});
