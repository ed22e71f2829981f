// Upgrade requests that anybody can send, without a token: they are answered, and the process lives.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createLiveHub } from '../../../connector/live/hub.ts';
import { liveDoor } from '../../../connector/rest/live-door.ts';

const token = 'a-token-of-this-test';
const server = createServer();
let attempts = 0;
const logins = { count: () => Promise.resolve(++attempts <= 300) };
const hub = createLiveHub(liveDoor({ token, listeners: 2, logins }), pino({ level: 'silent' }));
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

test('more listeners than there may be, and whoever guesses tokens, are told so', async () => {
  const listen = () =>
    new WebSocket(`ws://127.0.0.1:${port()}/api/v1/live`, { headers: { authorization: `Bearer ${token}` } });
  const listeners = [listen(), listen()];
  await Promise.all(listeners.map((each) => once(each, 'open')));
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  assert.equal(
    await statusOf(upgrade('/api/v1/live', `Authorization: Bearer ${token}\r\n${key}`)),
    'HTTP/1.1 503 Service Unavailable',
  );
  for (const each of listeners) each.terminate();
  attempts = 300;
  assert.equal(await statusOf(upgrade('/api/v1/live')), 'HTTP/1.1 429 Too Many Requests');
});
