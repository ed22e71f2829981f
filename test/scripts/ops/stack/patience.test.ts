// In the demo an Odoo that does not start is said and tried again; the rest goes on without it.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startOdoo } from '../../../../scripts/ops/stack/real/patience.ts';
import { usual } from '../../../../scripts/ops/stack/ports.ts';
import type { ManagedService } from '../../../../scripts/ops/stack/types.ts';
import { freePort } from '../../../support/free-port.ts';

test('it is told, and tried until it starts', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  mock.method(console, 'error', () => undefined);
  t.after(() => mock.restoreAll());
  let tries = 0;
  const odoo = {
    start: () =>
      ++tries < 3
        ? Promise.reject(new Error('odoo ended while it started: no such column'))
        : Promise.resolve(),
  } as ManagedService;
  const ports = { ...usual('test'), odoo: await freePort() };
  const said: string[] = [];
  await startOdoo(odoo, { name: 'demo' }, { ports }, (step) => said.push(step));
  assert.deepEqual(said, [
    'Odoo does not start, and is tried again: odoo ended while it started: no such column',
  ]);
  for (let round = 0; round < 5; round++) {
    mock.timers.tick(30_000);
    await new Promise((next) => setImmediate(next));
  }
  assert.equal(tries, 3);
});

test('in tests it is an error', async () => {
  const odoo = { start: () => Promise.reject(new Error('no')) } as unknown as ManagedService;
  await assert.rejects(
    startOdoo(odoo, { name: 'test' }, { ports: usual('test') }, () => undefined),
    /no/,
  );
});
