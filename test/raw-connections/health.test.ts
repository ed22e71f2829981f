// Health pages whose look at the state throws: answered with 500, logged, and the next request is answered.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { startBridgeHealth, type BridgePage } from '../../connector/start/bridge-health.ts';
import { startHealth } from '../../gateways/shared/health.ts';

const place = { host: '127.0.0.1', port: 0 };
const logged: string[] = [];
const logger = pino({}, { write: (line) => logged.push(line) });
const boom = () => {
  throw new Error('the spool is closed');
};
const status = async (port: number, path: string) =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).status;

test('of a gateway', async () => {
  const health = await startHealth(place, { metrics: boom, ready: boom }, logger);
  after(() => health.close());
  assert.equal(await status(health.port, '/metrics'), 500);
  assert.equal(await status(health.port, '/health/ready'), 500);
  assert.equal(await status(health.port, '/health/live'), 200);
  assert.match(logged.at(-1) ?? '', /the spool is closed/);
});

test('of the bridge, at once or by its promise, or an answer that is no JSON', async () => {
  const ring: Record<string, unknown> = {};
  ring['ring'] = ring;
  const routes = new Map<string, BridgePage>([
    ['/a', boom],
    ['/b', () => Promise.reject(new Error('later'))],
    ['/c', () => ({ code: 200, body: ring })],
    ['/d', () => ({ code: 200, body: 'x 1\n' })],
  ]);
  const server = await startBridgeHealth(place, routes, logger);
  after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(
    await Promise.all(['/a', '/b', '/c', '/d', '/constructor'].map((path) => status(port, path))),
    [500, 500, 500, 200, 404],
  );
});
