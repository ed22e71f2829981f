// Every route is in the document, and every route answers as the document says: the connector's process on a real database.
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { pino } from 'pino';
import { docsPage } from '../../../connector/rest/docs-page.ts';
import { documentRoutes } from '../../../connector/rest/document-routes.ts';
import { openApiDocument } from '../../../connector/rest/openapi.ts';
import { createApp } from '../../../connector/rest/server.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { signature } from '../../support/odoo-sync.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';
import { appSettings } from './app-settings.ts';
import { productRoutes } from './product-routes.ts';

interface Document {
  components: { schemas: Record<string, object> };
  paths: Record<
    string,
    Record<
      string,
      {
        parameters?: { name: string; example?: string }[];
        requestBody?: { content: { 'application/json': { example?: unknown } } };
        responses: Record<string, { content?: Record<string, { schema: object }> }>;
      }
    >
  >;
}

test('every route of the application is in the document, and the other way round', () => {
  const routes = productRoutes();
  const app = createApp(routes, appSettings(), pino({ level: 'silent' }));
  const { stack } = app.router as unknown as {
    stack: { route?: { path: string; methods: Record<string, boolean> } }[];
  };
  const served = stack.flatMap(({ route }) =>
    route === undefined ? [] : Object.keys(route.methods).map((method) => `${method} ${route.path}`),
  );
  const { paths } = openApiDocument([...routes, ...documentRoutes(routes)]) as unknown as Document;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  assert.deepEqual(served.toSorted(), described.toSorted());
});

test('every body and every parameter in an address has an example, and examples are taken', () => {
  for (const { method, path, params, query, body, bodyDocument, example } of productRoutes()) {
    const name = `${method} ${path}`;
    if (body !== undefined) assert.ok(example?.body !== undefined, `${name} has no example of its body`);
    if (params !== undefined)
      assert.ok(example?.params !== undefined, `${name} has no example of its address`);
    for (const [schema, value] of [
      [params, example?.params],
      [query, example?.query],
      [bodyDocument ?? body, example?.body],
    ] as const) {
      if (value === undefined) continue;
      const checked = schema?.safeParse(value);
      assert.ok(checked?.success, `${name}: ${checked?.error?.message ?? 'takes none'}`);
    }
  }
});

test('examples are in the document, and on the page in the fields of a form that sends the request', () => {
  const routes = productRoutes();
  const document = openApiDocument(routes);
  const { paths } = document as unknown as Document;
  const page = docsPage(document);
  for (const { method, path, example, open } of routes) {
    const name = `${method} ${path}`;
    const { parameters = [], requestBody } = paths[path]?.[method] ?? {};
    const described = parameters.flatMap(({ name: field, example: value }) =>
      value === undefined ? [] : [[field, value] as const],
    );
    const given = { ...example?.params, ...example?.query };
    assert.deepEqual(Object.fromEntries(described), given, name);
    assert.deepEqual(requestBody?.content['application/json'].example, example?.body, name);
    const [, form] = page.split(`<form data-method="${method}" data-path="${path}">`);
    // Calls of Odoo are signed: a page cannot send them.
    assert.equal(form !== undefined, method === 'get' || open !== true, name);
    const [fields = ''] = form?.split('</form>', 1) ?? [];
    if (form === undefined) continue;
    assert.match(fields, /<button>Send<\/button>/, name);
    for (const [field, value] of described)
      assert.match(fields, new RegExp(`name="${field}" data-in="\\w+" value="${value}"`), name);
    assert.equal(fields.includes('<textarea name="body"'), method === 'post', name);
  }
});

describe('the OpenAPI document', { skip: noBroker() }, () => {
  let connector: TestConnector;
  let document: Document;
  const secret = 'a-secret-of-the-openapi-test';
  const hookToken = 'a-hook-token-of-the-openapi-test';
  before(async () => {
    connector = await startConnector({ odooYaml: `secret: ${secret}, hook_token: ${hookToken}` });
    document = JSON.parse((await ask(connector, '/openapi.json')).text) as Document;
  });
  after(() => connector.drop());

  it('is true: every route is called, and its answer is as described', async () => {
    const { farm } = connector;
    const row = { farm, device_uid: 't1', device_type: 'temperature', metric_name: 'temperature' };
    const now = Date.now();
    const readings = Array.from({ length: 50 }, (_, index) => ({
      ...row,
      metric_value: index,
      timestamp: new Date(now - index * 60_000).toISOString(),
      battery_level: 80,
    }));
    // Raises alert 1.
    const quality = { fat_percentage: 3.9, protein_percentage: 3.2, somatic_cell_count: 900_000 };
    // In this order: what comes first makes what comes later have something to answer.
    const calls: [route: string, path: string, body?: object][] = [
      ['post /api/v1/ingest/sensor', '/api/v1/ingest/sensor', { ...row, metric_value: 4.5 }],
      [
        'post /api/v1/ingest/sensor/batch',
        '/api/v1/ingest/sensor/batch',
        { readings: [...readings, { ...row, metric_name: 'warmth' }] },
      ],
      [
        'post /api/v1/ingest/milk-production',
        `/api/v1/ingest/milk-production?farm=${farm}`,
        milkRecord({ quality }),
      ],
      ['get /health/live', '/health/live'],
      ['get /health/ready', '/health/ready'],
      ['get /metrics', '/metrics'],
      ['get /openapi.json', '/openapi.json'],
      ['get /docs', '/docs'],
      ['get /docs/try.js', '/docs/try.js'],
      ['get /api/v1/farms', '/api/v1/farms'],
      ['get /api/v1/animals', '/api/v1/animals?active=true'],
      ['get /api/v1/devices', `/api/v1/devices?farm=${farm}`],
      ['get /api/v1/milkings', `/api/v1/milkings?farm=${farm}&limit=5`],
      ['get /api/v1/readings', '/api/v1/readings?device_uid=t1&limit=5'],
      ['get /api/v1/status', '/api/v1/status'],
      ['get /api/v1/milkings/latest', '/api/v1/milkings/latest?limit=5'],
      ['get /api/v1/outbox/parked', '/api/v1/outbox/parked'],
      ['post /api/v1/outbox/retry', '/api/v1/outbox/retry', {}],
      ['get /api/v1/dead-letters', '/api/v1/dead-letters'],
      ['get /api/v1/dead-letters/{id}', '/api/v1/dead-letters/1'],
      ['post /api/v1/dead-letters/replay', '/api/v1/dead-letters/replay', { ids: [1] }],
      ['get /api/v1/query/sensor/latest/{device_uid}', '/api/v1/query/sensor/latest/t1'],
      ...['auto', '15min', 'hourly', 'daily'].map((level): [string, string] => [
        'get /api/v1/query/sensor/range',
        `/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&aggregation=${level}`,
      ]),
      [
        'get /api/v1/query/sensor/range',
        '/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&format=csv',
      ],
      ['get /api/v1/stats/ingestion', '/api/v1/stats/ingestion'],
      ['get /api/v1/iot/devices', '/api/v1/iot/devices?limit=10'],
      ['get /api/v1/iot/devices/{device_uid}', '/api/v1/iot/devices/meter_001'],
      ['get /api/v1/iot/devices/{device_uid}/readings', '/api/v1/iot/devices/t1/readings?limit=3'],
      [
        'post /api/v1/iot/devices/{device_uid}/commands',
        '/api/v1/iot/devices/t1/commands',
        { command: 'identify', request_id: 'request-1' },
      ],
      ['get /api/v1/iot/devices/{device_uid}/commands', '/api/v1/iot/devices/t1/commands'],
      ['get /api/v1/iot/commands/{request_id}', '/api/v1/iot/commands/request-1'],
      ['get /api/v1/iot/alerts', '/api/v1/iot/alerts?acknowledged=false'],
      ['get /api/v1/iot/alerts/{alert_id}', '/api/v1/iot/alerts/1'],
      ['post /api/v1/iot/alerts/{alert_id}/acknowledge', '/api/v1/iot/alerts/1/acknowledge', { by: 'Rahim' }],
      ['get /api/v1/iot/dashboard/devices/status', `/api/v1/iot/dashboard/devices/status?farm=${farm}`],
      ['get /api/v1/iot/dashboard/summary', '/api/v1/iot/dashboard/summary'],
      ...['1h', '6h', '24h', '7d', '30d'].map((period): [string, string] => [
        'get /api/v1/iot/dashboard/temperature/chart',
        `/api/v1/iot/dashboard/temperature/chart?device_uid=t1&period=${period}`,
      ]),
      ...['24h', '7d', '30d'].map((period): [string, string] => [
        'get /api/v1/iot/dashboard/milk/production',
        `/api/v1/iot/dashboard/milk/production?period=${period}`,
      ]),
      [
        'get /api/v1/iot/analytics/temperature/trends',
        '/api/v1/iot/analytics/temperature/trends?device_uids=t1&days=2',
      ],
      ['get /api/v1/iot/analytics/data-quality', '/api/v1/iot/analytics/data-quality?device_uids=t1&days=2'],
      ['get /api/v1/iot/analytics/milk/quality-report', '/api/v1/iot/analytics/milk/quality-report'],
      ['post /api/v1/odoo/notify', '/api/v1/odoo/notify', { kind: 'animal' }],
      ['post /api/v1/odoo/latest', '/api/v1/odoo/latest', { devices: [`${farm}/t1`] }],
      [
        'post /api/v1/odoo/command',
        '/api/v1/odoo/command',
        { farm, device_uid: 't1', command: 'identify', request_id: 'request-2' },
      ],
      ['post /api/v1/odoo/command/status', '/api/v1/odoo/command/status', { request_ids: ['request-2'] }],
      ['post /api/v1/odoo/command/known', '/api/v1/odoo/command/known', { farm, device_uid: 't1' }],
      ['post /api/v1/odoo/outbox/summary', '/api/v1/odoo/outbox/summary', {}],
      ['post /api/v1/odoo/outbox/parked', '/api/v1/odoo/outbox/parked', { limit: 5 }],
      ['post /api/v1/odoo/outbox/retry', '/api/v1/odoo/outbox/retry', { ids: [1] }],
      ['post /api/v1/odoo/outbox/ignore', '/api/v1/odoo/outbox/ignore', { ids: [2] }],
      ['post /api/v1/odoo/hook/{token}', `/api/v1/odoo/hook/${hookToken}`, { _model: 'farm.animal', _id: 1 }],
      ['get /api/v1/odoo/reconciliation', '/api/v1/odoo/reconciliation'],
      ['get /api/v1/odoo/binding', '/api/v1/odoo/binding'],
    ];
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    // These need an Odoo: test/connector/sync calls them.
    const foreign = ['key/rotate', 'reconciliation', 'resync', 'connect-anew'].map(
      (path) => `post /api/v1/odoo/${path}`,
    );
    const expected = described.filter((name) => !foreign.includes(name));
    assert.deepEqual(
      expected.filter((name) => !calls.some(([route]) => route === name)),
      [],
      'a route that no call here tries',
    );

    const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
    addFormats.default(ajv);
    for (const [name, path, body] of calls) {
      const [method = '', route = ''] = name.split(' ');
      const responses = document.paths[route]?.[method]?.responses;
      assert.ok(responses, `${name} is not in the document`);
      const text = JSON.stringify(body);
      const headers = path.startsWith('/api/v1/odoo/')
        ? { 'x-smart-dairy-signature': signature(secret, path, text) }
        : {};
      const answer = await ask(connector, path, body === undefined ? {} : { body: text, headers });
      const [status = ''] = Object.keys(responses).filter((code) => code.startsWith('2'));
      assert.equal(String(answer.status), status, `${name}: ${answer.text.slice(0, 500)}`);
      const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
      const content = responses[status]?.content?.[type];
      assert.ok(content, `${name}: ${type} is not described`);
      if (type !== 'application/json') continue;
      const validate = ajv.compile(content.schema);
      assert.ok(
        validate(answer.body),
        `${name}: ${ajv.errorsText(validate.errors)}\n${answer.text.slice(0, 800)}`,
      );
    }
    await eventually('the milking', async () => {
      const answer = await ask(connector, '/api/v1/milkings/latest');
      return (answer.body as unknown as unknown[]).length === 1;
    });
  });

  it('takes former names, and answers with both', async () => {
    const { farm } = connector;
    const former = await ask(connector, `/api/v1/iot/devices?farm_id=${farm}&after=0&limit=1`);
    const now = await ask(connector, `/api/v1/iot/devices?farm=${farm}&cursor=0&limit=1`);
    assert.equal(former.status, 200, former.text);
    assert.deepEqual(former.body, now.body);
    const [device] = now.body['devices'] as Record<string, unknown>[];
    assert.deepEqual(
      [device?.['device_uid'], device?.['farm']],
      [device?.['device_id'], device?.['farm_id']],
    );
    assert.ok(device?.['farm'] === farm && typeof now.body['next_cursor'] === 'number');
    assert.equal(now.body['next_cursor'], now.body['next_after']);
    const both = await ask(connector, `/api/v1/iot/devices?farm=${farm}&farm_id=${farm}`);
    assert.equal(both.status, 400);
    assert.match(both.text, /farm: say either this or farm_id, its former name/);
    const body = JSON.stringify({ limit: 5, after_id: 0 });
    const path = '/api/v1/odoo/outbox/parked';
    const headers = { 'x-smart-dairy-signature': signature(secret, path, body) };
    assert.equal((await ask(connector, path, { body, headers })).status, 200);
  });

  it('describes errors: they are the problem of the document', async () => {
    const ajv = new Ajv2020();
    addFormats.default(ajv);
    const validate = ajv.compile(document.components.schemas['Problem'] ?? {});
    for (const [path, status] of [
      ['/api/v1/query/sensor/latest/nobody', 404],
      ['/api/v1/query/sensor/range?device_uid=t1', 400],
      ['/api/v1/query/sensor/range?device_uid=t1&metric_name=warmth', 404],
      ['/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&cursor=abc', 400],
      ['/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&fill=linear', 400],
      [
        '/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&start=2026-02-01&end=2026-01-01',
        400,
      ],
      ['/api/v1/dead-letters/99999', 404],
      ['/api/v1/dead-letters/one', 400],
      ['/api/v1/iot/devices?colour=blue', 400],
      ['/api/v1/cows', 404],
    ] as const) {
      const answer = await ask(connector, path);
      assert.equal(answer.status, status, `${path}: ${answer.text}`);
      assert.ok(validate(answer.body), `${path}: ${answer.text}`);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    }
  });

  it('is a page for people that names every route, and asks nobody but this server', async () => {
    const { text, headers } = await ask(connector, '/docs');
    assert.match(headers.get('content-type') ?? '', /^text\/html/);
    assert.deepEqual(text.match(/<script[^>]*>/g), ['<script src="/docs/try.js">']);
    assert.match(
      headers.get('content-security-policy') ?? '',
      /default-src 'none'.*script-src 'self'; connect-src 'self'/,
    );
    assert.match(text, /id="token" type="password"/);
    for (const path of Object.keys(document.paths)) assert.ok(text.includes(path), path);
  });
});
