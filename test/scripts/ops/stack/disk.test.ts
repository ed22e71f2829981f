// The disk that is full is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskOf, fullDisks, mountPointOf } from '../../../../scripts/ops/stack/disk.ts';

test('the longest mount point above a path is its disk', () => {
  const points = ['/', '/srv', '/srv/dairy', '/srv/dair'];
  assert.equal(mountPointOf('/srv/dairy/.stack', points), '/srv/dairy');
  assert.equal(mountPointOf('/srv/dairying', points), '/srv');
  assert.equal(mountPointOf('/home', points), '/');
  assert.ok(diskOf('.').freeBytes >= 0);
  assert.match(diskOf('.').mountPoint, /^\//);
});

test('each full disk is told once, with its place; one with room and a folder that is not there are not', () => {
  const look = (folder: string) => {
    if (folder === 'missing') throw new Error('ENOENT');
    return { mountPoint: folder === 'c' ? '/c' : '/data', freeBytes: folder === 'c' ? 1e12 : 3_500_000 };
  };
  assert.deepEqual(fullDisks(['a', 'b', 'c', 'missing'], look), ['the disk at /data is full (3 MB left)']);
});
