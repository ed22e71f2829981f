// Which pg_dump takes the backup: never one that is older than the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseClient } from '../../../../scripts/ops/backup/tools.ts';

test('the machine’s own client when it is new enough, else one of the server’s version, else none', () => {
  assert.equal(chooseClient(17, 17), 'own');
  assert.equal(chooseClient(18, 17), 'own');
  // Debian 12 with the embedded database, and a machine without any client.
  assert.equal(chooseClient(15, 17), 'brought');
  assert.equal(chooseClient(-1, 17), 'brought');
  assert.equal(chooseClient(17, 19), 'none');
});
