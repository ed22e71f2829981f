// Every port of the product under raw connections: cut, reset, slow, oversized, of other protocols. None may end the
// process, log an error, or leave anything behind.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { WebSocket } from 'ws';
import { createRandom, type Random } from '../../scripts/dev/simulator/random.ts';
import { request } from '../gateways/coap/request.ts';
import { anyBytes, fuzzRuns } from '../support/fuzz.ts';
import { attack } from './attacks.ts';
import { startListeners, token, type Ports } from './listeners.ts';

const perPort = Math.ceil(fuzzRuns / (fuzzRuns > 10_000 ? 10 : 5));
const atOnce = 200;
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);

let listeners: Awaited<ReturnType<typeof startListeners>>;
before(async () => (listeners = await startListeners()));
after(() => listeners.stop());

/** `count` times `once`, so many at a time. The number that said true. */
async function manyTimes(count: number, run: (random: Random) => Promise<boolean>): Promise<number> {
  let [started, good] = [0, 0];
  const worker = async () => {
    while (started < count && !listeners.hasEnded()) if (await run(createRandom(seed, started++))) good++;
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  assert.equal(listeners.hasEnded(), false, `the process has ended: ${listeners.stderr()}`);
  return good;
}

const reading = (id: number) => request(id, ['v1', 'data'], `token=${token}`, '{"temperature":3.6}');

/** The code that a right CoAP request is answered with; a datagram may get lost, so it is sent until then. */
async function coapCode(port: number): Promise<number> {
  const socket = createSocket('udp4');
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  for (let id = 1; ; id++) {
    socket.send(reading(id), port, '127.0.0.1');
    const answer = await Promise.race([answered, sleep(200)]);
    if (answer === undefined && !listeners.hasEnded()) continue;
    socket.close();
    return answer?.[0][1] ?? 0;
  }
}

/** What a right request gets on each port. */
async function rightAnswers({ rest, bridge, health, http, mqtt, coap }: Ports) {
  const headers = { authorization: `Bearer ${token}` };
  const status = async (port: number, path: string, body?: string) =>
    (
      await fetch(`http://127.0.0.1:${port}${path}`, {
        headers,
        ...(body === undefined ? {} : { method: 'POST', body }),
      })
    ).status;
  const listener = new WebSocket(`ws://127.0.0.1:${rest}/api/v1/live`, { headers });
  await once(listener, 'open');
  listener.terminate();
  const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { username: 'farm', password: token });
  await client.publishAsync('dairy/f/temperature/t/data', '{}', { qos: 1 });
  await client.endAsync();
  return {
    rest: await status(rest, '/api/v1/status'),
    bridge: await status(bridge, '/health/live'),
    health: await status(health, '/health/live'),
    http: await status(http, '/v1/data', '{"temperature":3.6}'),
    coap: await coapCode(coap),
  };
}

const right = { rest: 200, bridge: 200, health: 200, http: 202, coap: 0x44 };

/** Sockets close a moment after their clients. */
async function closedAll(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { sockets } = await listeners.state();
    if (sockets <= 20 || tries === 100) return sockets;
    await sleep(100);
  }
}

async function datagrams(port: number): Promise<void> {
  const sockets: Socket[] = Array.from({ length: 8 }, () =>
    createSocket('udp4').on('message', () => undefined),
  );
  const samples = [reading(7), reading(8), Buffer.from([0x40, 0, 0, 14]), Buffer.from([0x41, 2, 0, 1, 0xab])];
  let n = 0;
  await manyTimes(perPort, async (random) => {
    const socket = sockets[n++ % sockets.length]!;
    const bytes = anyBytes(random, samples, 200);
    await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
    return true;
  });
  for (const socket of sockets) socket.close();
}

test(`raw connections: ${perPort} to each port, FUZZ_SEED=${seed}`, async () => {
  const { ports } = listeners;
  const { coap, ...tcp } = ports;
  // What is made once, as caches and compiled code, is not what is left behind.
  for (const port of Object.values(tcp)) await manyTimes(100, (random) => attack(port, random));
  assert.deepEqual(await rightAnswers(ports), right);
  const before = await listeners.state();
  for (const [name, port] of Object.entries(tcp)) {
    const connected = await manyTimes(perPort, (random) => attack(port, random));
    assert.ok(connected > perPort * 0.9, `only ${connected} connections to ${name}`);
    assert.deepEqual(await rightAnswers(ports), right, name);
    console.log(JSON.stringify({ port: name, connected, ...(await listeners.state()) }));
  }
  await datagrams(coap);
  assert.deepEqual(await rightAnswers(ports), right);
  assert.equal(listeners.stderr(), '');
  const sockets = await closedAll();
  assert.ok(sockets <= 20, `${sockets} sockets are open`);
  const { heap } = await listeners.state();
  assert.ok(heap <= before.heap * 1.5 + 20e6, `the heap has grown from ${before.heap} to ${heap}`);
});
