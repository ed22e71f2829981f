// The process: stops cleanly at SIGTERM with neither broker nor bus there, and refuses a wrong file with a message.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

function run(t: TestContext, args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-main-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const child = spawn(process.execPath, ['gateways/modbus/main.ts', ...args], {
    // Nobody listens on port 1.
    env: {
      MQTT_URL: 'mqtt://127.0.0.1:1',
      SIMULATOR_MODBUS_PORT: '1',
      GATEWAY_SPOOL_FILE: join(folder, 'spool.sqlite'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  return { child, log: () => log };
}

test('SIGTERM ends it with exit code 0, whatever is missing', async (t) => {
  const { child, log } = run(t, []);
  while (!log().includes('bus not reachable')) await once(child.stderr, 'data');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  assert.match(log(), /broker not reachable, trying on/);
});

test('a configuration that does not exist is named', async (t) => {
  const { child, log } = run(t, ['--config', 'nowhere.yaml']);
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 1);
  assert.match(log(), /nowhere\.yaml: cannot be read/);
});
