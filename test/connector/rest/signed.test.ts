// Calls of Odoo over real HTTP: whoever cannot prove who he is leaves nothing behind, and hears why.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, describe, test } from 'node:test';
import { pino } from 'pino';
import { checkSignature } from '../../../connector/rest/signature.ts';
import { createApp, listen } from '../../../connector/rest/server.ts';
import { idempotency } from '../../../connector/rest/idempotency.ts';
import { odooRoutes, type OdooDesk } from '../../../connector/rest/odoo-routes.ts';
import { signature } from '../../support/odoo-sync.ts';
import { appSettings, noConnectionLimits, noLimits } from './app-settings.ts';

const secret = 'a-secret-of-this-test';
const hookToken = 'a-hook-of-this-test';
const logger = pino({ level: 'silent' });
/** What was asked of the database. */
let statements: string[] = [];
let isAway = false;
const used = new Set<unknown>();
const db = {
  query(text: string, [first]: unknown[] = []) {
    if (isAway)
      return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    statements.push(text);
    const isNew = !text.includes('odoo_signature') || !used.has(first);
    used.add(first);
    return Promise.resolve({ rows: [], rowCount: isNew ? 1 : 0 });
  },
};
const woken: unknown[] = [];
const desk = {
  db,
  secret,
  hookToken,
  wake: (kinds: unknown) => woken.push(kinds),
  onEvent: () => undefined,
} as unknown as OdooDesk;
const aroundPost = idempotency(db as unknown as Parameters<typeof idempotency>[0], logger);
async function serve(limits = noLimits) {
  const app = createApp(odooRoutes(desk), appSettings({ aroundPost, limits }), logger);
  const server = await listen(app, { host: '127.0.0.1', port: 0 }, noConnectionLimits, logger);
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const base = await serve();
beforeEach(() => {
  statements = [];
});

async function call(path: string, body: string, headers: Record<string, string> = {}, url = base) {
  const response = await fetch(url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const notify = '/api/v1/odoo/notify';
const body = '{"kind":"animal"}';
const signed = (path: string, text: string, at?: number) => ({
  'x-smart-dairy-signature': signature(secret, path, text, at === undefined ? {} : { at }),
});

test('unsigned calls with idempotency keys, to a signed route and to the hook, ask nothing of the database', async () => {
  for (let index = 0; index < 300; index++) {
    const key = { 'idempotency-key': `key-${index}` };
    const path = index % 2 === 0 ? notify : '/api/v1/odoo/hook/guessed';
    assert.equal((await call(path, body, key)).status, index % 2 === 0 ? 401 : 404);
  }
  assert.deepEqual(statements, []);
});

test('a signed call is taken, once; its content is looked at only then', async () => {
  const now = Math.floor(Date.now() / 1000);
  const header = signed(notify, body, now);
  assert.equal((await call(notify, body, header)).status, 202);
  assert.deepEqual(
    (await call(notify, body, header)).body['detail'],
    'this call was made before: sign each call anew',
  );
  const broken = '{"kind":';
  assert.equal((await call(notify, broken)).status, 401);
  assert.equal((await call(notify, broken, signed(notify, broken))).status, 400);
  assert.equal((await call('/api/v1/odoo/hook/%', body)).status, 400);
});

test('whoever guesses is held up, whoever is right is not', async () => {
  const url = await serve({ ...noLimits, failedLoginsPerMinute: 2 });
  const statuses: number[] = [];
  for (const path of [notify, '/api/v1/odoo/hook/guessed', notify, '/api/v1/status'])
    statuses.push((await call(path, body, {}, url)).status);
  assert.deepEqual(statuses, [401, 404, 429, 429]);
  const another = `${body} `;
  assert.equal((await call(notify, another, signed(notify, another), url)).status, 202);
  assert.equal(
    (await call(`/api/v1/odoo/hook/${hookToken}`, '{"_model":"farm.animal"}', {}, url)).status,
    202,
  );
});

test('the database is away: that is said, and is nobody’s wrong signature', async () => {
  const url = await serve({ ...noLimits, failedLoginsPerMinute: 2 });
  isAway = true;
  for (let index = 0; index < 4; index++) {
    const text = `${body}${' '.repeat(10 + index)}`;
    assert.equal((await call(notify, text, signed(notify, text), url)).status, 503);
  }
  isAway = false;
});

describe('a signature', () => {
  const now = 1_800_000_000;
  const database = 'the-farm';
  const check = (header: string, path = notify, method = 'POST', asking = database) =>
    checkSignature({ header, method, path, database: asking, body: Buffer.from(body) }, secret, now * 1000);
  const good = signature(secret, notify, body, { at: now, database });
  test('covers method, path and database, and is good for five minutes', () => {
    assert.equal(check(good).ok, true);
    assert.equal(check(good, '/api/v1/odoo/command').ok, false);
    assert.equal(check(good, `${notify}?x=1`).ok, false);
    assert.equal(check(good, notify, 'PUT').ok, false);
    for (const asking of ['', 'a-copy', `${database} `])
      assert.equal(check(good, notify, 'POST', asking).ok, false);
    assert.equal(check(signature('another', notify, body, { at: now, database })).ok, false);
    for (const at of [now - 301, now + 301])
      assert.equal(check(signature(secret, notify, body, { at, database })).ok, false);
  });
  test('of an older addon is told what to do', () => {
    const digest = createHmac('sha256', secret).update(`${now}.${body}`).digest('hex');
    const old = check(`t=${now},v1=${digest}`);
    assert.match(old.ok ? '' : old.reason, /update the addons in Odoo/);
  });
});
