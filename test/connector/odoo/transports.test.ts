// All three transports against a server that misbehaves: every fault becomes an OdooError in time, and nothing leaks the key.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import { OdooError, type OdooReason } from '../../../connector/odoo/errors.ts';
import type { TransportName } from '../../../connector/odoo/transport.ts';
import {
  answer,
  hang,
  json,
  resetMidway,
  startFakeOdoo,
  type Behaviour,
  type FakeOdoo,
} from './fake-odoo.ts';

const apiKey = 'key-that-nobody-may-see';
const uid = `<?xml version="1.0"?><methodResponse><params><param><value><int>2</int></value></param></params></methodResponse>`;
let fake: FakeOdoo;
before(async () => {
  fake = await startFakeOdoo();
});
after(() => fake.close());

function client(transport: TransportName | 'auto', url = fake.url, timeoutMs = 300) {
  return createOdooClient({
    url,
    database: 'farm',
    login: 'connector',
    apiKey,
    transport,
    timeoutMs,
    maxResponseBytes: 10_000,
  });
}

/** Lets the login pass, so that the fault meets the call itself. */
function afterLogin(fault: Behaviour): Behaviour {
  return (request, response) => {
    if (request.path === '/xmlrpc/2/common')
      return answer(200, uid, { 'content-type': 'text/xml' })(request, response);
    if (request.body.includes('"authenticate"'))
      return json(200, { jsonrpc: '2.0', id: 1, result: 2 })(request, response);
    return fault(request, response);
  };
}

async function failure(promise: Promise<unknown>): Promise<OdooError> {
  const error = await promise.then(
    () => assert.fail('the call should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OdooError, String(error));
  assert.ok(!error.message.includes(apiKey), error.message);
  return error;
}

const html = (status: number, headers: Record<string, string> = {}) =>
  answer(status, `<html>nginx, key ${apiKey}</html>`, { 'content-type': 'text/html', ...headers });
const huge: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.end(JSON.stringify('x'.repeat(100_000)));
};
const faults: [string, Behaviour, OdooReason][] = [
  ['500 of a proxy', html(500), 'unreachable'],
  ['502 of a proxy', html(502), 'unreachable'],
  ['504 of a proxy', html(504), 'overload'],
  ['429 with Retry-After', html(429, { 'retry-after': '7' }), 'busy'],
  ['413', html(413), 'overload'],
  ['401', html(401), 'denied'],
  ['404 of a foreign server', html(404), 'misconfigured'],
  ['a redirect', html(301, { location: 'https://elsewhere/' }), 'misconfigured'],
  ['a login page', html(200), 'unreachable'],
  ['garbage that claims to be XML', answer(200, '{<>&', { 'content-type': 'text/xml' }), 'unreachable'],
  ['an empty answer', answer(200, '', { 'content-type': 'text/xml' }), 'unreachable'],
  ['a hang', hang, 'overload'],
  ['a reset in the middle of the answer', resetMidway, 'unreachable'],
  ['an answer beyond the limit', huge, 'overload'],
];

for (const transport of ['json2', 'jsonrpc', 'xmlrpc'] as const) {
  describe(transport, () => {
    for (const [name, fault, reason] of faults) {
      test(`${name} is ${reason}`, async () => {
        fake.behave(afterLogin(fault));
        // A loaded machine must not make a hang of an answer.
        const timeoutMs = fault === hang ? 300 : 30_000;
        const called = client(transport, fake.url, timeoutMs).call('iot.device', 'upsert_batch', {
          records: [],
        });
        const error = await failure(called);
        assert.equal(error.reason, reason, error.message);
        if (name.startsWith('429')) assert.equal(error.retryAfterMs, 7_000);
      });
    }

    test('nobody listens', async () => {
      const gone = await startFakeOdoo();
      await gone.close();
      const error = await failure(client(transport, gone.url).call('iot.device', 'upsert_batch', {}));
      assert.equal(error.reason, 'unreachable');
      assert.match(error.message, /ECONNREFUSED/);
    });

    test('an unknown host', async () => {
      const error = await failure(
        client(transport, 'http://odoo.invalid', 5_000).call('iot.device', 'upsert_batch', {}),
      );
      assert.equal(error.reason, 'unreachable');
    });

    test('giving up ends a running call', async () => {
      fake.behave(afterLogin(hang));
      const abort = new AbortController();
      const running = client(transport, fake.url, 60_000).call(
        'iot.device',
        'upsert_batch',
        {},
        abort.signal,
      );
      setTimeout(() => abort.abort(), 50);
      assert.equal((await failure(running)).reason, 'unreachable');
    });
  });
}

test('json2 sends key, database and named arguments', async () => {
  fake.behave(json(200, [7]));
  fake.requests.length = 0;
  assert.deepEqual(await client('json2').call('iot.device', 'upsert_batch', { records: [{ a: 1 }] }), [7]);
  const [request] = fake.requests;
  assert.equal(request?.path, '/json/2/iot.device/upsert_batch');
  assert.equal(request.headers['authorization'], `bearer ${apiKey}`);
  assert.equal(request.headers['x-odoo-database'], 'farm');
  assert.deepEqual(JSON.parse(request.body), { records: [{ a: 1 }] });
});

test('jsonrpc turns named arguments into keyword arguments, ids into the first position', async () => {
  fake.behave(afterLogin(json(200, { jsonrpc: '2.0', id: 1, result: [7] })));
  fake.requests.length = 0;
  const odoo = client('jsonrpc');
  await odoo.call('iot.device', 'write', { ids: [3], vals: { name: 'x' } });
  await odoo.call('iot.device', 'upsert_batch', { records: [] });
  const calls = fake.requests.map(
    ({ body }) => (JSON.parse(body) as { params: { args: unknown[] } }).params.args,
  );
  assert.equal(calls.length, 3, 'one login, two calls');
  assert.deepEqual(calls[1]?.slice(3), ['iot.device', 'write', [[3]], { vals: { name: 'x' } }]);
  assert.deepEqual(calls[2]?.slice(3), ['iot.device', 'upsert_batch', [], { records: [] }]);
});

test('jsonrpc finds errors inside HTTP 200, hides the key and logs in again after a refusal', async () => {
  const refused = {
    jsonrpc: '2.0',
    id: 1,
    error: {
      message: 'Odoo Server Error',
      data: { name: 'odoo.exceptions.AccessDenied', message: `Access Denied for ${apiKey}` },
    },
  };
  fake.behave(afterLogin(json(200, refused)));
  fake.requests.length = 0;
  const odoo = client('jsonrpc');
  const error = await failure(odoo.call('iot.device', 'upsert_batch', {}));
  assert.equal(error.reason, 'denied');
  assert.match(error.message, /\*\*\*/);
  await failure(odoo.call('iot.device', 'upsert_batch', {}));
  assert.equal(fake.requests.filter(({ body }) => body.includes('"authenticate"')).length, 2);
});

test('xmlrpc writes null and reads faults', async () => {
  const fault = `<?xml version="1.0"?><methodResponse><fault><value><struct>
    <member><name>faultCode</name><value><int>1</int></value></member>
    <member><name>faultString</name><value><string>Traceback (most recent call last):
  File "x.py", line 1
psycopg2.errors.SerializationFailure: could not serialize access
</string></value></member></struct></value></fault></methodResponse>`;
  fake.behave(afterLogin(answer(200, fault, { 'content-type': 'text/xml' })));
  const error = await failure(
    client('xmlrpc').call('iot.device', 'upsert_batch', { records: [{ a: null }] }),
  );
  assert.equal(error.reason, 'busy');
  assert.match(fake.requests.at(-1)?.body ?? '', /<nil\/>/);
});

describe('auto', () => {
  const server = (version: [number, string]): Behaviour =>
    afterLogin((request, response) => {
      const old = version[0] < 19;
      const info = { server_version_info: [version[0], 0], server_version: version[1] };
      if (request.path === '/web/version') {
        const fresh = json(200, { version_info: [version[0], 0], version: version[1] });
        return (old ? html(404) : fresh)(request, response);
      }
      if (request.path === '/web/webclient/version_info')
        return json(200, { jsonrpc: '2.0', id: 1, result: info })(request, response);
      return json(200, old ? { jsonrpc: '2.0', id: 1, result: [] } : [])(request, response);
    });

  test('takes JSON-2 from Odoo 19 on', async () => {
    fake.behave(server([19, '19.0']));
    const odoo = client('auto');
    assert.deepEqual(await odoo.call('iot.device', 'upsert_batch', { records: [] }), []);
    assert.match(odoo.describe(), /json2/);
    assert.deepEqual(await odoo.version(), { major: 19, text: '19.0' });
  });

  test('takes JSON-RPC before', async () => {
    fake.behave(server([17, '17.0']));
    const odoo = client('auto');
    assert.deepEqual(await odoo.call('iot.device', 'upsert_batch', { records: [] }), []);
    assert.match(odoo.describe(), /jsonrpc/);
  });

  test('a server that is no Odoo is a misconfiguration', async () => {
    fake.behave(json(200, { hello: 'world' }));
    assert.equal(
      (await failure(client('auto').call('iot.device', 'upsert_batch', {}))).reason,
      'misconfigured',
    );
  });
});

test('an address that cannot work is refused at once, without repeating it', () => {
  for (const url of ['odoo', 'ftp://odoo', `http://admin:${apiKey}@odoo`]) {
    assert.throws(
      () => client('json2', url),
      (error: Error) => error.message.includes('ODOO_URL') && !error.message.includes(apiKey),
    );
  }
  assert.throws(() => client('xmlrpc', 'http://odoo/prefix'), /use jsonrpc/);
});
