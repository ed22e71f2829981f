// npm start is through when a milking is stored, whatever Odoo does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { firstMilking } from '../../../../scripts/ops/start/first-milking.ts';

test('a stored milking is enough although an Odoo is configured and says nothing', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  server.on('connection', (socket) => {
    socket.send(JSON.stringify({ type: 'reading' }));
    socket.send(JSON.stringify({ type: 'milking', record: { rfid: '1' } }));
  });
  const seen: string[] = [];
  const env = { CONNECTOR_URL: `http://127.0.0.1:${port}`, ODOO_URL: 'http://127.0.0.1:1' };
  const { isStored, unfollow } = firstMilking(env, ({ type }) => seen.push(type));
  await isStored;
  unfollow();
  assert.deepEqual(seen, ['reading', 'milking']);
});
