// npm run profile, as its own process: check, new, and probe against a Modbus server that is there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startModbusDevice } from '../../gateways/support/modbus-device.ts';

const run = promisify(execFile);
const profile = (...args: string[]) =>
  run(process.execPath, ['scripts/ops/profile/main.ts', ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failed: unknown) => failed as { code: number; stdout: string; stderr: string },
  );
const file = 'config/profiles/bulk-tank-controller-modbus.yaml';

test('probe shows raw, decoded and published values side by side, and a device that is silent', async (t) => {
  const device = await startModbusDevice();
  t.after(() => device.close());
  device.holding.set('7/0', 38);
  device.holding.set('7/1', 0xffff);
  device.coils.set('7/0', true);
  device.silent.add(8);
  const { code, stdout } = await profile(
    'probe',
    file,
    '--host',
    '127.0.0.1',
    '--port',
    String(device.port),
    '--unit',
    '7',
  );
  assert.equal(code, 0);
  const lines = new Map(stdout.split('\n').map((line) => [line.split(/ +/)[0], line.replaceAll(/ +/g, ' ')]));
  assert.equal(lines.get('register'), 'register table address raw decoded published');
  assert.equal(lines.get('milk_temperature'), 'milk_temperature input 0 0026 3.8 temperature 3.8');
  assert.equal(lines.get('level'), 'level input 1 ffff no value');
  assert.equal(lines.get('agitator'), 'agitator coil 0 0001 true agitator 1');
  assert.equal(lines.get('set_point'), 'set_point holding 0 0026 3.8 setpoint_temperature 3.8');
  assert.deepEqual(device.writes, []);

  const wrong = await profile('probe', file);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /probe needs --host HOST or --serial PATH/);
});

test('a device that refuses every register is there all the same', async (t) => {
  const server = createServer((socket) =>
    socket.on('data', (request) => {
      // The request's transaction and unit, its function with the mark of an exception, and illegal data address.
      const [unit = 0, code = 0] = request.subarray(6);
      socket.write(Buffer.concat([request.subarray(0, 4), Buffer.from([0, 3, unit, code | 0x80, 2])]));
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const port = String((server.address() as AddressInfo).port);
  const { code, stdout, stderr } = await profile('probe', file, '--host', '127.0.0.1', '--port', port);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^level .*exception 2/m);
});

test('check runs the samples and names what is wrong with its place; new is a profile that passes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'profile-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const good = await profile('check', file);
  assert.equal(good.code, 0);
  assert.match(good.stdout, /bulk-tank-controller-modbus: fine, \d+ samples/);

  const own = join(folder, 'own.yaml');
  writeFileSync(own, (await profile('new')).stdout);
  assert.equal((await profile('check', own)).code, 0);
  const another = join(folder, 'another.yaml');
  assert.equal((await profile('new', another)).code, 0);
  assert.equal(readFileSync(another, 'utf8').trim(), readFileSync(own, 'utf8').trim());
  writeFileSync(another, 'mine');
  assert.match((await profile('new', another)).stderr, /another\.yaml is there already/);
  assert.equal(readFileSync(another, 'utf8'), 'mine');

  writeFileSync(own, readFileSync(own, 'utf8').replace('v: 3.6', 'v: 3.7'));
  const differs = await profile('check', own);
  assert.equal(differs.code, 1);
  assert.match(differs.stderr, /sample 'tank at 3\.6 degrees': points is .*3\.6.*expected .*3\.7/);

  writeFileSync(own, readFileSync(own, 'utf8').replace('type: int16', 'type: int61'));
  assert.match((await profile('check', own)).stderr, /own\.yaml:\d+:\d+/);
});
