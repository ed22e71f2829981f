// Upgrade requests that anybody can send, without a token: they are answered, and the process lives.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createLiveHub } from '../../../connector/live/hub.ts';

const token = 'a-token-of-this-test';
const server = createServer();
const hub = createLiveHub((header) => header === `Bearer ${token}`, pino({ level: 'silent' }));
hub.serve(server);
const port = () => (server.address() as AddressInfo).port;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  hub.stop();
  server.closeAllConnections();
  server.close();
});

const upgrade = (target: string, more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;

async function statusOf(request: string): Promise<string> {
  const socket = connect(port(), '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.write(request);
  await once(socket, 'close');
  return answer.split('\r\n', 1)[0] ?? '';
}

test('targets that are no URL are not found', async () => {
  for (const target of ['//', '///', '/\\', 'http://[', '*', '//:99999/'])
    assert.equal(await statusOf(upgrade(target)), 'HTTP/1.1 404 Not Found', target);
  assert.equal(await statusOf(upgrade('/api/v1/live')), 'HTTP/1.1 401 Unauthorized');
});

test('a reset right after the request ends nothing', async () => {
  for (let n = 0; n < 200; n++) {
    const socket = connect(port(), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(upgrade(n % 2 === 0 ? '/nowhere' : '/api/v1/live'));
    if (n % 4 > 1) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  const client = new WebSocket(`ws://127.0.0.1:${port()}/api/v1/live`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await once(client, 'open');
  client.terminate();
});
