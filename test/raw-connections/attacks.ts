// What strangers send to a TCP port, by accident or not: cut, reset, slow, oversized, of another protocol.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../scripts/dev/simulator/random.ts';
import { anyBytes, below, pick } from '../support/fuzz.ts';
import { token } from './listeners.ts';

const http = (method: string, target: string, more = '', body = '') =>
  Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n${body}`);
const bearer = `Authorization: Bearer ${token}\r\n`;
const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const handshake = `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

const requests = [
  http('GET', '/health/live'),
  http('GET', '/health/ready'),
  http('GET', '/metrics'),
  http('GET', '/api/v1/status', bearer),
  http('POST', '/v1/data', `${bearer}Content-Length: 19\r\n`, '{"temperature":3.6}'),
  http('POST', '/api/v1/outbox/retry', `${bearer}Transfer-Encoding: chunked\r\n`, '2\r\n{}\r\n0\r\n\r\n'),
  http('POST', '/v1/data', `${bearer}Content-Length: 900\r\n`, '{"temperature"'),
  http('POST', '/v1/data', `${bearer}Content-Encoding: gzip\r\nContent-Length: 4\r\n`, 'nope'),
  http('GET', '//'),
  http('GET', '/%'),
  http('CONNECT', 'x:1'),
  http('POST', '/api/v1/outbox/retry', `${bearer}Expect: 100-continue\r\nContent-Length: 2\r\n`),
];
const upgrades = [
  ...['//', '/nowhere', '/api/v1/live', 'http://[', '*'].map((target) => http('GET', target, handshake)),
  http('GET', '/api/v1/live', `${bearer}${handshake}`),
  http('GET', '/api/v1/live', `${bearer}${upgrade}`),
  Buffer.concat([
    http('GET', '/api/v1/live', `${bearer}${handshake}`),
    Buffer.from([0xff, 0xff, 0, 1, 2, 3]),
  ]),
];

const tlsHello = Buffer.from('16030100c8010000c40303' + '5a'.repeat(64), 'hex');

const packet = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type, body.length]), body]);
const text = (value: string) => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
const mqttConnect = (flags: number, password: string, more: Buffer[] = []) =>
  packet(
    0x10,
    Buffer.concat([
      ...[text('MQTT'), Buffer.from([4, flags, 0, 30]), text('fuzz'), ...more],
      ...[text('farm'), text(password)],
    ]),
  );
const publish = packet(
  0x32,
  Buffer.concat([text('dairy/f/temperature/t/data'), Buffer.from([0, 7]), Buffer.from('{}')]),
);
const subscribe = packet(0x82, Buffer.concat([Buffer.from([0, 1]), text('dairy/#'), Buffer.from([1])]));
const member = mqttConnect(0xc2, token);
const mqtt = [
  member,
  mqttConnect(0xc2, 'guessed'),
  Buffer.concat([mqttConnect(0xc6, token, [text('dairy/will'), text('gone')]), publish]),
  Buffer.concat([member, subscribe, publish, publish]),
  Buffer.concat([member, publish, Buffer.from([0xe0, 0])]),
  publish,
  // The longest remaining length, and one that never ends.
  Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4, 77, 81]),
  Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  Buffer.concat([member, Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f])]),
];
const all = [...requests, ...upgrades, tlsHello, ...mqtt];

const kinds: readonly ((random: Random) => Buffer)[] = [
  () => Buffer.alloc(0),
  (random) => pick(random, requests),
  (random) => pick(random, upgrades),
  (random) => pick(random, mqtt),
  (random) => pick(random, all),
  (random) => anyBytes(random, all, 300),
  (random) => anyBytes(random, mqtt, 300),
  () => tlsHello,
  (random) => http('GET', '/', `X-Long: ${'a'.repeat(below(random, 40_000))}\r\n`),
  (random) => {
    const whole = pick(random, all);
    return whole.subarray(0, below(random, whole.length));
  },
];

/** One connection; it is over when it resolves. False when no connection came to be. */
export async function attack(port: number, random: Random): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const opened = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    closed,
  ]);
  if (opened !== true) return false;
  const bytes = pick(random, kinds)(random);
  if (random() < 0.05) await writeSlowly(socket, bytes, random);
  else if (bytes.length > 0) socket.write(bytes);
  const end = random();
  // Whoever reads the answer, whoever says goodbye, whoever is gone in the same moment or the next.
  if (end < 0.3) await Promise.race([once(socket, 'data').catch(() => undefined), closed, sleep(20)]);
  else if (end < 0.5) {
    socket.end();
    await Promise.race([closed, sleep(20)]);
  } else if (end < 0.7) await new Promise((resolve) => setImmediate(resolve));
  else if (end < 0.8) await sleep(below(random, 5));
  socket.resetAndDestroy();
  await closed;
  return true;
}

async function writeSlowly(socket: Socket, bytes: Buffer, random: Random): Promise<void> {
  for (let at = 0; at < Math.min(bytes.length, 40) && socket.writable;) {
    const end = at + 1 + below(random, 12);
    socket.write(bytes.subarray(at, end));
    at = end;
    await sleep(below(random, 10));
  }
}
