// A client that belongs to one database of Odoo: bound at the first contact, silent towards every other one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBoundClient, type Binding } from '../../../connector/odoo/bound-client.ts';
import { fromException, OdooError } from '../../../connector/odoo/errors.ts';
import type { NamedArgs, OdooClient } from '../../../connector/odoo/transport.ts';

function keptIn(bound?: string): Binding & { bound: () => string | undefined } {
  return {
    read: () => Promise.resolve(bound),
    bind: (database) => Promise.resolve((bound ??= database)),
    bound: () => bound,
  };
}

function odooWith(info: () => Record<string, unknown>) {
  const calls: { method: string; args: NamedArgs }[] = [];
  const client: OdooClient = {
    call(_model, method, args) {
      calls.push({ method, args });
      const { smart_dairy_database: meant } = (args['context'] ?? {}) as Record<string, unknown>;
      if (method === 'key_info') return Promise.resolve(info());
      if (meant !== undefined && meant !== info()['database'])
        return Promise.reject(
          fromException({
            name: 'odoo.exceptions.UserError',
            message: 'smart_dairy_database: এটি একটি কপি',
            status: 422,
          }),
        );
      return Promise.resolve('taken');
    },
    version: () => Promise.resolve({ major: 19, text: '19.0' }),
    describe: () => 'a fake',
  };
  return { client, calls, sent: () => calls.filter(({ method }) => method !== 'key_info') };
}

const upsert = (client: OdooClient) =>
  client.call('iot.alert', 'upsert_batch', { records: [], context: { tz: 'UTC' } });
const refused = (error: unknown) => error instanceof OdooError && error.reason === 'misconfigured';

test('the first contact binds; every call says which database it means', async () => {
  const odoo = odooWith(() => ({ database: 'original' }));
  const binding = keptIn();
  const client = createBoundClient(odoo.client, binding);
  assert.equal(await upsert(client), 'taken');
  assert.equal(await upsert(client), 'taken');
  assert.equal(binding.bound(), 'original');
  assert.deepEqual(
    odoo.sent().map(({ args }) => args['context']),
    [1, 2].map(() => ({ tz: 'UTC', smart_dairy_database: 'original' })),
  );
  assert.equal(odoo.calls.length, 3, 'asked once which database it is');
});

test('a copy gets nothing and gives nothing', async () => {
  const odoo = odooWith(() => ({ database: 'copy' }));
  const client = createBoundClient(odoo.client, keptIn('original'));
  await assert.rejects(upsert(client), (error) => refused(error) && /is a copy/.test(String(error)));
  await assert.rejects(client.call('iot.connector', 'pull', { kind: 'animal' }), refused);
  assert.deepEqual(odoo.sent(), []);
});

test('a copy that takes the place of the original between two calls is refused by the addon, then by the client', async () => {
  let database = 'original';
  const odoo = odooWith(() => ({ database }));
  const client = createBoundClient(odoo.client, keptIn());
  await upsert(client);
  database = 'copy';
  await assert.rejects(upsert(client), refused);
  await assert.rejects(upsert(client), /is a copy/);
  database = 'original';
  assert.equal(await upsert(client), 'taken', 'the original again: at once');
});

test('an addon of a former version works until a database is known; a bound connector wants to hear it', async () => {
  const odoo = odooWith(() => ({ expires: false }));
  assert.equal(await upsert(createBoundClient(odoo.client, keptIn())), 'taken');
  const bound = createBoundClient(odoo.client, keptIn('original'));
  await assert.rejects(upsert(bound), (error) => refused(error) && /update it/.test(String(error)));
});
