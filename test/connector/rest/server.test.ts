// The REST server over real HTTP, with sources that say what the test wants.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { pino } from 'pino';
import { Counter, Registry } from 'prom-client';
import { problemTitles } from '../../../connector/rest/problem.ts';
import { createApp, listen, type AppSettings } from '../../../connector/rest/server.ts';
import { systemRoutes, type SystemSources } from '../../../connector/rest/system-routes.ts';
import { AppError } from '../../../contract/errors.ts';

const token = 'a-token-of-this-test';
const registry = new Registry();
new Counter({ name: 'smart_dairy_test_total', help: 'x', registers: [registry] });
const check = { ok: true, detail: 'fine' };
const checks = { database: check, mqtt: check, odoo: check, outbox: check };

const fine: SystemSources = {
  readiness: () => Promise.resolve({ status: 'ready', checks }),
  registry,
  status: () => Promise.resolve({ messages_received: 3 }),
  latestMilkings: (limit) => Promise.resolve([{ limit }]),
  parked: (limit) => Promise.resolve([{ parked: limit }]),
  retryParked: (ids) => Promise.resolve(ids?.length ?? 99),
};
let sources: SystemSources;
let logged: string[] = [];
const logger = pino({}, { write: (line) => logged.push(line) });
// The server asks whatever the test has put in.
const current: SystemSources = {
  readiness: () => sources.readiness(),
  registry,
  status: () => sources.status(),
  latestMilkings: (limit) => sources.latestMilkings(limit),
  parked: (limit) => sources.parked(limit),
  retryParked: (ids) => sources.retryParked(ids),
};
const settings: AppSettings = {
  token,
  limits: { requestsPerMinute: 1_000, failedLoginsPerMinute: 1_000 },
  aroundPost: (_request, _response, run) => run(),
};
const app = () => createApp(systemRoutes(current), settings, logger);
const server = await listen(app(), '127.0.0.1', 0, logger);
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
before(() => assert.ok(server.listening));
after(() => server.close());
beforeEach(() => {
  sources = fine;
  logged = [];
});

async function ask(
  path: string,
  options: RequestInit = {},
  authorization: string | null = `Bearer ${token}`,
) {
  const headers = new Headers(options.headers);
  if (authorization !== null) headers.set('authorization', authorization);
  const response = await fetch(base + path, { ...options, headers });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    headers: response.headers,
    body: type.includes('json') ? (JSON.parse(text) as unknown) : text,
  };
}

async function assertProblem(answer: ReturnType<typeof ask>, status: number, detail: string) {
  const { status: given, type, body } = await answer;
  const problem = { ...(body as Record<string, unknown>) };
  delete problem['errors'];
  const expected = { type: `/docs#problem-${status}`, title: problemTitles[status], status, detail };
  assert.deepEqual([given, problem], [status, expected]);
  assert.match(type, /^application\/problem\+json/);
}

describe('for machines, without a token', () => {
  test('live and ready', async () => {
    assert.deepEqual((await ask('/health/live', {}, null)).body, { status: 'live' });
    const ready = await ask('/health/ready', {}, null);
    assert.deepEqual([ready.status, ready.body], [200, { status: 'ready', checks }]);
  });

  test('degraded still takes data: 200; down: 503', async () => {
    sources = { ...fine, readiness: () => Promise.resolve({ status: 'degraded', checks }) };
    assert.equal((await ask('/health/ready', {}, null)).status, 200);
    const away = { ...checks, database: { ok: false, detail: 'no connection' } };
    sources = { ...fine, readiness: () => Promise.resolve({ status: 'down', checks: away }) };
    const down = await ask('/health/ready', {}, null);
    assert.deepEqual([down.status, down.body], [503, { status: 'down', checks: away }]);
    assert.equal((await ask('/health/live', {}, null)).status, 200);
  });

  test('metrics in Prometheus’ text format', async () => {
    const { status, type, body } = await ask('/metrics', {}, null);
    assert.equal(status, 200);
    assert.match(type, /^text\/plain.*version=0\.0\.4/);
    assert.match(String(body), /^smart_dairy_test_total 0$/m);
  });
});

describe('everything else needs the token', () => {
  const detail = 'Authorization: Bearer <CONNECTOR_TOKEN> is missing or wrong';
  const wrong = [
    null,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
  ];
  for (const authorization of [...wrong, 'Bearer undefined']) {
    test(`refused: ${authorization ?? 'none'}`, async () => {
      await assertProblem(ask('/api/v1/status', {}, authorization), 401, detail);
    });
  }
  test('every route is behind it, unknown ones too', async () => {
    for (const path of ['/', '/api/v1/milkings/latest', '/api/v1/outbox/parked', '/no/such', '/health'])
      await assertProblem(ask(path, {}, null), 401, detail);
    await assertProblem(ask('/api/v1/outbox/retry', { method: 'POST' }, null), 401, detail);
    assert.equal((await ask('/', {}, null)).headers.get('www-authenticate'), 'Bearer');
  });
  test('taken, in whatever case the scheme is written', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      assert.deepEqual((await ask('/api/v1/status', {}, `${scheme} ${token}`)).body, {
        messages_received: 3,
      });
  });
});

describe('lists', () => {
  test('with and without a limit', async () => {
    assert.deepEqual((await ask('/api/v1/milkings/latest')).body, [{ limit: 20 }]);
    assert.deepEqual((await ask('/api/v1/milkings/latest?limit=1000')).body, [{ limit: 1000 }]);
    assert.deepEqual((await ask('/api/v1/outbox/parked?limit=5')).body, [{ parked: 5 }]);
  });
  for (const [query, detail] of [
    ['limit=0', 'limit: Too small: expected number to be >=1'],
    ['limit=', 'limit: Too small: expected number to be >=1'],
    ['limit=1001', 'limit: Too big: expected number to be <=1000'],
    ['limit=1.5', 'limit: Invalid input: expected int, received number'],
    ['limit=many', 'limit: Invalid input: expected number, received NaN'],
    ['limit=1&limit=2', 'limit: Invalid input: expected number, received NaN'],
  ] as const) {
    test(query, () => assertProblem(ask(`/api/v1/milkings/latest?${query}`), 400, detail));
  }
});

describe('putting parked records back', () => {
  const retry = (body?: string, type = 'application/json') =>
    ask('/api/v1/outbox/retry', {
      method: 'POST',
      ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
    });
  test('all, or those that are named', async () => {
    assert.deepEqual((await retry()).body, { retried: 99 });
    assert.deepEqual((await retry('{}')).body, { retried: 99 });
    assert.deepEqual((await retry('{"ids":[4,5]}')).body, { retried: 2 });
    assert.deepEqual((await retry('{"ids":[]}')).body, { retried: 0 });
  });
  test('a body without a JSON content type is read all the same, not taken for "all"', async () => {
    assert.deepEqual((await retry('{"ids":[4]}', 'application/x-www-form-urlencoded')).body, { retried: 1 });
    assert.deepEqual((await retry('{"ids":[4]}', 'text/plain')).body, { retried: 1 });
  });
  test('a wrong body changes nothing', async () => {
    sources = { ...fine, retryParked: () => assert.fail('must not be called') };
    for (const [body, detail] of [
      ['{"ids":"all"}', 'ids: Invalid input: expected array, received string'],
      ['{"ids":[1.5]}', 'ids.0: Invalid input: expected int, received number'],
      ['{"id":[1]}', 'Unrecognized key: "id"'],
      ['[]', 'Invalid input: expected object, received array'],
    ] as const)
      await assertProblem(retry(body), 400, detail);
    assert.equal((await retry('{"ids":[1')).status, 400);
    assert.equal((await retry('ids=4', 'application/x-www-form-urlencoded')).status, 400);
    assert.equal((await retry(`{"ids":[${'1,'.repeat(200_000)}1]}`)).status, 413);
  });
});

test('what does not exist says so', async () => {
  await assertProblem(ask('/api/v1/cows'), 404, 'there is no GET /api/v1/cows');
  await assertProblem(ask('/api/v1/status', { method: 'DELETE' }), 404, 'there is no DELETE /api/v1/status');
  assert.equal((await ask('/api/v1/status')).headers.get('x-powered-by'), null);
});

describe('a source that fails', () => {
  const failing = (error: Error) => {
    sources = { ...fine, status: () => Promise.reject(error) };
    return ask('/api/v1/status');
  };
  test('our own mistake: nothing of it goes out, the log has it, once', async () => {
    await assertProblem(
      failing(new Error('password=hush at db.internal')),
      500,
      'internal error, see the log',
    );
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /"path":"\/api\/v1\/status","error":"password=hush at db.internal"/);
  });
  test('other kinds say what is the matter', async () => {
    await assertProblem(
      failing(new AppError('transient', 'database: no answer')),
      503,
      'database: no answer',
    );
    await assertProblem(
      failing(new AppError('denied', 'database: key refused')),
      503,
      'database: key refused',
    );
    await assertProblem(failing(new AppError('invalid', 'no such thing')), 400, 'no such thing');
    await assertProblem(failing(new AppError('bug', 'hush')), 500, 'internal error, see the log');
  });
  test('what is no Error at all', async () => {
    await assertProblem(failing({ hush: 'secret' } as unknown as Error), 500, 'internal error, see the log');
    await assertProblem(failing('hush' as unknown as Error), 500, 'internal error, see the log');
  });
  test('a source that throws before it promises', async () => {
    sources = {
      ...fine,
      latestMilkings: () => {
        throw new Error('hush');
      },
    };
    await assertProblem(ask('/api/v1/milkings/latest'), 500, 'internal error, see the log');
  });
});

test('too many requests of a token, and too many wrong tokens of an address, are told when to come again', async () => {
  const strict = { ...settings, limits: { requestsPerMinute: 3, failedLoginsPerMinute: 2 } };
  const limited = await listen(createApp(systemRoutes(current), strict, logger), '127.0.0.1', 0, logger);
  const get = (authorization: string, path = '/api/v1/status') =>
    fetch(`http://127.0.0.1:${(limited.address() as AddressInfo).port}${path}`, {
      headers: { authorization },
    });
  for (let i = 0; i < 2; i++) assert.equal((await get('Bearer wrong')).status, 401);
  assert.equal((await get('Bearer another')).status, 429, 'whatever the token is');
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await get(`Bearer ${token}`)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  const refused = await get(`Bearer ${token}`);
  assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await get('', '/health/live')).status, 200, 'health is not counted');
  limited.close();
});

test('a port that is taken is an error of listen, not of the process', async () => {
  const { port } = server.address() as AddressInfo;
  await assert.rejects(listen(app(), '127.0.0.1', port, logger), { code: 'EADDRINUSE' });
});
