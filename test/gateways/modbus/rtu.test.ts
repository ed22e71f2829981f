// RTU frames have no number: late and foreign answers must not be taken for the next one's, and a dead unit not slow the rest.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';

function crc(bytes: Buffer): Buffer {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0xa001 : value >> 1;
  }
  return Buffer.concat([bytes, Buffer.from([value & 0xff, value >> 8])]);
}

/** The answer to a read of one register: its own number. */
const answerTo = (unit: number, address: number) =>
  crc(Buffer.from([unit, 3, 2, address >> 8, address & 0xff]));

/** An RTU-over-TCP slave line; `answer` gets unit and address of every request. */
async function lineWith(
  t: TestContext,
  answer: (unit: number, address: number, send: (frame: Buffer) => void) => void,
) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (frame) =>
      answer(frame.readUInt8(0), frame.readUInt16BE(2), (bytes) => {
        if (socket.writable) socket.write(bytes);
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bus = createBus(
    {
      name: 'b',
      line: { transport: 'rtu_tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port },
      timeoutMs: 100,
      retryMaxMs: 200,
      pauseAfterConnectMs: 0,
      pauseBetweenFramesMs: 0,
      devices: [],
    },
    { logger: pino({ level: 'silent' }), trouble: () => undefined, count: () => undefined },
  );
  t.after(async () => {
    await bus.close();
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  const read = (unit: number, start: number, rank: number = priority.poll) =>
    bus.run(rank, async (line) => (await line.read(unit, { table: 'holding', start, length: 1 }))[0]);
  return { bus, read };
}

test('an answer that comes late is nobody’s, also when another unit was asked meanwhile', async (t) => {
  const { read } = await lineWith(t, (unit, address, send) => {
    setTimeout(() => send(answerTo(unit, address)), address === 1 ? 170 : 1);
  });
  await assert.rejects(read(1, 1), /Timed out/);
  // The late answer of unit 1 arrives while unit 2 is asked.
  for (let n = 10; n < 20; n++) {
    assert.equal(await read(2, n), n);
    await sleep(10);
  }
  for (let n = 20; n < 30; n++) assert.equal(await read(1, n), n);
});

test('noise on the line costs the answers it hits, no others', async (t) => {
  let requests = 0;
  const { read } = await lineWith(t, (unit, address, send) => {
    const frame = answerTo(unit, address);
    if (++requests % 5 === 0) frame[3] = (frame[3] ?? 0) ^ 0x40;
    send(requests % 3 === 0 ? Buffer.concat([Buffer.from([0xff, 0x00]), frame]) : frame);
  });
  let failed = 0;
  for (let n = 1; n <= 40; n++) {
    const value = await read(1, n).catch(() => undefined);
    if (value === undefined) failed++;
    else assert.equal(value, n);
  }
  assert.equal(failed, 8);
});

test('commands go before polls that wait', async (t) => {
  const { read } = await lineWith(t, (unit, address, send) => {
    setTimeout(() => send(answerTo(unit, address)), 5);
  });
  const order: number[] = [];
  const polls = [1, 2, 3, 4].map((n) => read(1, n).then((value) => order.push(value ?? 0)));
  const command = read(1, 9, priority.command).then((value) => order.push(value ?? 0));
  await Promise.all([...polls, command]);
  assert.deepEqual(order, [1, 9, 2, 3, 4]);
});

test('closing while an answer is outstanding ends the wait', async (t) => {
  const { bus, read } = await lineWith(t, () => undefined);
  const waiting = assert.rejects(read(1, 1), /connection ended/);
  await sleep(30);
  await bus.close();
  await waiting;
});
