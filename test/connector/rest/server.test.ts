// The REST server over real HTTP, with sources that say what the test wants.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { pino } from 'pino';
import { Counter, Registry } from 'prom-client';
import { problemTitles } from '../../../connector/rest/problem.ts';
import { countFailedLogins } from '../../../connector/rest/rate-limit.ts';
import { createApp, listen } from '../../../connector/rest/server.ts';
import { systemRoutes, type SystemSources } from '../../../connector/rest/system-routes.ts';
import { AppError } from '../../../contract/errors.ts';
import { eventually } from '../../support/connector.ts';
import { appSettings, noConnectionLimits, noLimits, token } from './app-settings.ts';

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
const here = { host: '127.0.0.1', port: 0 };
const app = () => createApp(systemRoutes(current), appSettings(), logger);
const server = await listen(app(), here, noConnectionLimits, logger);
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
    body: type.includes('json') && text !== '' ? (JSON.parse(text) as unknown) : text,
  };
}

async function assertProblem(answer: ReturnType<typeof ask>, status: number, detail: string) {
  const { status: given, type, body } = await answer;
  const { errors, ...problem } = body as { errors: { path: string; message: string }[] };
  const [first] = errors;
  if (status < 500 && ![401, 405, 429].includes(status)) assert.ok(first !== undefined && first.path !== '');
  if (status === 400 && detail !== 'no such thing')
    assert.equal(`${first?.path ?? ''}: ${first?.message ?? ''}`, detail);
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
    ['limit=0', 'limit: expected at least 1'],
    ['limit=', 'limit: expected at least 1'],
    ['limit=1001', 'limit: expected at most 1000'],
    ['limit=1.5', 'limit: expected a whole number, got 1.5'],
    ['limit=many', 'limit: expected a number'],
    ['limit=1&limit=2', 'limit: expected a number'],
    ['colour=blue', 'colour: is not known here'],
    ['limit=%00', 'limit: has a NUL character in it'],
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
      ['{"ids":"all"}', 'ids: expected a list, got text'],
      ['{"ids":[1.5]}', 'ids.0: expected a whole number, got 1.5'],
      ['{"id":[1]}', 'id: is not known here'],
      ['[]', 'body: expected an object, got a list'],
      ['{"ids":[1', 'body: is not JSON: wrong at line 1, column 10'],
      ['{"ids":["a\\u0000"]}', 'ids.0: has a NUL character in it'],
      ['{"ids":[1],"\\ud800":1}', '\ufffd: its name has half a character in it (a lone surrogate)'],
      [
        `{"ids":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
        `ids${'.0'.repeat(31)}: is nested deeper than 32 levels`,
      ],
    ] as const)
      await assertProblem(retry(body), 400, detail);
    await assertProblem(
      retry(`{"ids":[${'1,'.repeat(200_000)}1]}`),
      413,
      'body: is larger than 262144 bytes, which is the limit here',
    );
  });
  test('what is no JSON by its type is 415', async () => {
    const expected = (type: string) => `Content-Type: expected application/json, got ${type}`;
    for (const type of ['application/xml', 'multipart/form-data', 'text/csv', 'application/octet-stream'])
      await assertProblem(retry('{"ids":[1]}', type), 415, expected(type));
    const form = 'application/x-www-form-urlencoded';
    await assertProblem(retry('ids=4', form), 415, expected(form));
    await assertProblem(
      retry('{}', 'application/json; charset=utf-16'),
      415,
      'Content-Type: JSON is UTF-8, got charset utf-16',
    );
    const compressed = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const post = (headers: Record<string, string>) =>
      ask('/api/v1/outbox/retry', { method: 'POST', body: '{}', headers });
    await assertProblem(
      post(compressed),
      400,
      'body: cannot be read: is it compressed as Content-Encoding says?',
    );
    await assertProblem(
      post({ ...compressed, 'content-encoding': 'lzma' }),
      415,
      'Content-Encoding: expected gzip, deflate, br, zstd or none',
    );
  });
});

test('what does not exist says so', async () => {
  await assertProblem(ask('/api/v1/cows'), 404, 'there is no /api/v1/cows');
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
  const limits = { requestsPerMinute: 3, failedLoginsPerMinute: 2, openRequestsPerMinute: 3 };
  const strict = createApp(systemRoutes(current), appSettings({ limits }), logger);
  const limited = await listen(strict, here, noConnectionLimits, logger);
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
  const open: number[] = [];
  for (let i = 0; i < 4; i++)
    open.push((await get('', ['/health/live', '/docs', '/Health/Live/', '/docs'][i])).status);
  assert.deepEqual(open, [200, 200, 200, 429], 'what is open has a limit of its own');
  assert.equal((await get(`Bearer ${token}`, '/health/live')).status, 200, 'but not for the token');
  limited.close();
});

test('wrong tokens at the door of the live stream count with all others', async (t) => {
  const limits = { ...noLimits, failedLoginsPerMinute: 2 };
  const logins = countFailedLogins(limits);
  const strict = createApp(systemRoutes(current), appSettings({ limits, logins }), logger);
  const limited = await listen(strict, here, noConnectionLimits, logger);
  t.after(() => limited.close());
  const guess = () =>
    fetch(`http://127.0.0.1:${(limited.address() as AddressInfo).port}/api/v1/status`, {
      headers: { authorization: 'Bearer guessed' },
    });
  assert.equal((await guess()).status, 401);
  assert.equal(await logins.count(here.host), true);
  assert.equal((await guess()).status, 429);
  assert.equal(await logins.count(here.host), false);
  assert.equal(await logins.count('192.0.2.1'), true, 'of another address');
});

test('a port that is taken is an error of listen, not of the process', async () => {
  const { port } = server.address() as AddressInfo;
  const taken = { host: '127.0.0.1', port };
  await assert.rejects(listen(app(), taken, noConnectionLimits, logger), { code: 'EADDRINUSE' });
});

describe('a method that there is not', () => {
  test('is told which there are', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/api/v1/status', 'GET, HEAD, OPTIONS'],
      ['PUT', '/api/v1/STATUS/', 'GET, HEAD, OPTIONS'],
      ['GET', '/api/v1/outbox/retry', 'POST, OPTIONS'],
      ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const answer = await ask(path, { method });
      assert.equal(answer.headers.get('allow'), allow);
      await assertProblem(Promise.resolve(answer), 405, `${path} takes ${allow}, not ${method}`);
    }
    const options = await ask('/api/v1/status', { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS']);
    assert.equal((await ask('/api/v1/status', { method: 'HEAD' })).status, 200);
  });
  test('says nothing of routes to whoever has no token', async () => {
    assert.equal((await ask('/api/v1/status', { method: 'DELETE' }, null)).status, 401);
    assert.equal((await ask('/health/live', { method: 'DELETE' }, null)).status, 405);
  });
});

test('what browsers should know comes with every answer; over TLS also that it stays so', async () => {
  for (const path of ['/health/live', '/api/v1/cows', '/api/v1/status', '/docs']) {
    const { headers } = await ask(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers.get('strict-transport-security'), null);
  }
  const behindTls = await ask('/health/live', { headers: { 'x-forwarded-proto': 'https' } });
  assert.match(behindTls.headers.get('strict-transport-security') ?? '', /^max-age=\d+$/);
});

test('connections of one address have a limit; what is no HTTP is told so', async () => {
  const limited = await listen(app(), here, { perAddress: 2, total: 100, proxies: [] }, logger);
  const { port } = limited.address() as AddressInfo;
  const sockets = [connect(port, here.host), connect(port, here.host)];
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const answerOf = async (socket: Socket, said: string) => {
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(said);
    await once(socket, 'close');
    return answer;
  };
  assert.match(
    await answerOf(connect(port, here.host), ''),
    /^HTTP\/1.1 429 .*Retry-After: 60\r\n.*max_connections_per_address = 2/s,
  );
  for (const socket of sockets) socket.destroy();
  await eventually('the connections are forgotten', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/health/live`, {
      headers: { connection: 'close' },
    });
    return response.status === 200;
  });
  assert.match(await answerOf(connect(port, here.host), 'MQTT?\r\n\r\n'), /^HTTP\/1.1 400 .*"status":400/s);
  limited.closeAllConnections();
  limited.close();
  const small = await listen(app(), here, { perAddress: 100, total: 1, proxies: [] }, logger);
  const only = connect((small.address() as AddressInfo).port, here.host);
  await once(only, 'connect');
  assert.equal(await answerOf(connect((small.address() as AddressInfo).port, here.host), ''), '');
  only.destroy();
  small.close();
  const proxied = await listen(app(), here, { perAddress: 0, total: 100, proxies: ['127.0.0.0/8'] }, logger);
  const through = await fetch(`http://127.0.0.1:${(proxied.address() as AddressInfo).port}/health/live`);
  assert.equal(through.status, 200);
  proxied.closeAllConnections();
  proxied.close();
});
