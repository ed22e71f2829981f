// A port that another program takes meanwhile is chosen anew.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { onOtherPorts } from '../../../../scripts/ops/stack/settings.ts';
import type { Instance } from '../../../../scripts/ops/stack/types.ts';

const dir = mkdtempSync(join(tmpdir(), 'smart-dairy-ports-'));
mkdirSync(join(dir, 'run'));
after(() => rmSync(dir, { recursive: true }));
const instance = { dir, settingsFile: join(dir, 'settings.json') } as Instance;
const remember = (ports: Record<string, number>): void =>
  writeFileSync(instance.settingsFile, JSON.stringify({ ports }));

test('what failed for a lost port is tried again, and says so; what failed for another reason is not', async (t) => {
  const stranger = createServer();
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(() => stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const told: string[] = [];
  let tries = 0;
  remember({ connector: port });
  const done = await onOtherPorts(
    instance,
    () => {
      tries++;
      if (tries === 1) return Promise.reject(new Error('EADDRINUSE'));
      return Promise.resolve('up');
    },
    (words) => told.push(words),
  );
  assert.deepEqual([done, tries], ['up', 2]);
  assert.deepEqual(told, [`another program has taken port ${port}: starting again on other ports`]);

  remember({});
  let failures = 0;
  const fail = () => {
    failures++;
    return Promise.reject(new Error('no database'));
  };
  await assert.rejects(
    onOtherPorts(instance, fail, () => undefined),
    /no database/,
  );
  assert.equal(failures, 1);
  remember({ connector: port });
  await assert.rejects(
    onOtherPorts(instance, fail, () => undefined),
    /no database/,
  );
  assert.equal(failures, 1 + 3, 'three times at most');
});
