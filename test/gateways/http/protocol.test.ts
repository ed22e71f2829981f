// The HTTP intake: tokens, paths, envelopes and foreign JSON, and a configuration that changes.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { protocol } from '../../../gateways/http/protocol.ts';
import { matchesToken } from '../../../gateways/shared/http.ts';
import { until } from '../support/broker.ts';
import { recordServices } from '../support/services.ts';
import { resolveSection } from '../support/site.ts';

const [token, other] = ['token-of-the-first-one', 'token-of-the-other-one'];
const section = {
  port: 0,
  devices: [
    { uid: 'cold-store', type: 'temperature', token },
    { uid: 'feeder-1', type: 'feeder', token: other, stall: '7' },
  ],
};

const resolve = (section: unknown) => resolveSection(protocol, section);

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start() {
  const record = recordServices();
  let port = 0;
  record.services.logger.info = (fields: { port?: number }) => {
    port = fields.port ?? port;
  };
  const running = protocol.start(resolve(section).settings, record.services);
  stops.push(() => running.stop());
  await until('listening', () => port !== 0);
  const post = async (path: string, body: unknown, given: string | undefined) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: given === undefined ? {} : { authorization: `Bearer ${given}` },
    });
    return { status: response.status, error: ((await response.json()) as { error?: string }).error };
  };
  return { record, running, post };
}

test('foreign JSON goes on unchanged, and gets a time where it has none', async () => {
  const { record, post } = await start();
  const body = { timestamp: '2026-11-20T05:00:00Z', temperature: 3.6 };
  assert.equal((await post('/v1/data', body, token)).status, 202);
  assert.deepEqual(record.raw, [
    { topic: 'dairy/farm1/temperature/cold-store/data', payload: JSON.stringify(body) },
  ]);
  assert.equal((await post('/v1/devices/cold-store/data', { temperature: 3.7 }, token)).status, 202);
  const stamped = JSON.parse(record.raw[1]?.payload ?? '') as { timestamp: string };
  assert.ok(Math.abs(Date.parse(stamped.timestamp) - Date.now()) < 60_000);
});

test('envelopes are checked and get the stall of their device', async () => {
  const { record, post } = await start();
  const envelope = { v: 1, at: '2026-11-20T05:00:00Z', points: [{ m: 'feed_portion', v: 1.5 }] };
  assert.equal((await post('/v1/data', envelope, other)).status, 202);
  assert.deepEqual(record.published[0], {
    address: { farm: 'farm1', deviceType: 'feeder', deviceUid: 'feeder-1' },
    envelope: { ...envelope, stall: '7' },
  });
  const wrong = await post('/v1/data', { ...envelope, at: 'yesterday' }, other);
  assert.equal(wrong.status, 400);
  assert.match(wrong.error ?? '', /^envelope v1: at: /);
});

test('nobody speaks for another device', async () => {
  const { record, post } = await start();
  assert.equal((await post('/v1/data', {}, undefined)).status, 401);
  assert.equal((await post('/v1/data', {}, `${token}x`)).status, 401);
  assert.equal((await post('/v1/devices/feeder-1/data', {}, token)).status, 403);
  assert.equal((await post('/v1/data', '[1]', token)).status, 400);
  assert.equal((await post('/v1/data', '{', token)).status, 400);
  assert.equal((await post('/v2/data', {}, token)).status, 404);
  assert.equal((await post('/v1/data', JSON.stringify({ x: 'x'.repeat(300_000) }), token)).status, 413);
  assert.equal(record.raw.length + record.published.length, 0);
});

test('a token may change while it runs', async () => {
  const { running, post } = await start();
  const [first] = section.devices;
  await running.reload(
    resolve({ ...section, devices: [{ ...first, token: 'a-completely-new-one' }] }).settings,
  );
  assert.equal((await post('/v1/data', { temperature: 1 }, token)).status, 401);
  assert.equal((await post('/v1/data', { temperature: 1 }, 'a-completely-new-one')).status, 202);
});

test('two devices with one token are refused', () => {
  const devices = section.devices.map((device) => ({ ...device, token }));
  assert.deepEqual(resolve({ ...section, devices }).problems, [
    'devices.1.token: another device has the same token',
  ]);
  assert.equal(matchesToken('', [token]), -1);
});
