// Ports: remembered while free, else usual, else the next; never the same twice.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimPort } from '../../../../scripts/ops/stack/port-claims.ts';
import { isPortFree, pickPorts, usual } from '../../../../scripts/ops/stack/ports.ts';
import { identifySelf } from '../../../../scripts/ops/stack/process-id.ts';

test('whatever is taken and remembered, the picked ports are free and all different', async () => {
  const port = fc.integer({ min: 1024, max: 1060 });
  const names = ['postgres', 'mqtt', 'mqttBound', 'odoo', 'connector', 'modbus', 'rfid', 'intake'] as const;
  const ports = fc
    .tuple(...names.map(() => port))
    .map(
      (picked) =>
        Object.fromEntries(names.map((name, at) => [name, picked[at]])) as Record<
          (typeof names)[number],
          number
        >,
    );
  await fc.assert(
    fc.asyncProperty(
      ports,
      fc.option(ports, { nil: undefined }),
      fc.uniqueArray(port),
      async (wanted, kept, busy) => {
        const isFree = (candidate: number): Promise<boolean> => Promise.resolve(!busy.includes(candidate));
        const picked = Object.values(await pickPorts(wanted, kept, isFree));
        assert.equal(new Set(picked).size, picked.length);
        assert.ok(picked.every((candidate) => !busy.includes(candidate)));
      },
    ),
  );
});

test('a remembered port stays while it is free', async () => {
  const kept = {
    postgres: 6001,
    mqtt: 6002,
    mqttBound: 6008,
    odoo: 6003,
    connector: 6004,
    modbus: 6005,
    rfid: 6006,
    intake: 6007,
  };
  const picked = await pickPorts(usual('demo'), kept, (port) => Promise.resolve(port !== 6003));
  assert.deepEqual(picked, { ...kept, odoo: 8069 });
});

test('demo and test never want the same port', () => {
  const demo = new Set(Object.values(usual('demo')));
  assert.ok(Object.values(usual('test')).every((port) => !demo.has(port)));
});

test('a port on which somebody listens is not free', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  assert.equal(await isPortFree(address.port), false);
  await new Promise((done) => server.close(done));
  assert.equal(await isPortFree(address.port), true);
});

test('a port that another clone is about to use, or that its stack has, is not free', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ports-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const [a, b] = [join(dir, 'a.json'), join(dir, 'b.json')];
  assert.equal(claimPort(6001, a, dir), true);
  assert.equal(claimPort(6001, a, dir), true);
  assert.equal(claimPort(6001, b, dir), false);
  assert.equal(claimPort(6002, b, dir), true);

  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(join(dir, '6001'), longAgo, longAgo);
  writeFileSync(a, JSON.stringify(identifySelf()));
  assert.equal(claimPort(6001, b, dir), false);
  rmSync(a);
  assert.equal(claimPort(6001, b, dir), true);
});
