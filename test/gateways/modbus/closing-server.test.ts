// Modbus TCP servers that end the connection after each answer, as some converters do to save memory.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';

/** Answers a read of one register with its own number, a write with itself; `after` gets the socket after each answer. */
async function serverWith(t: TestContext, after: (socket: Socket, answers: number) => void) {
  const counts = { connections: 0, writes: 0, timeouts: 0 };
  const server = createServer((socket) => {
    counts.connections++;
    let answers = 0;
    let isOver = false;
    socket.on('error', () => undefined);
    socket.on('data', (frame) => {
      if (isOver) return;
      const isRead = frame.readUInt8(7) === 3;
      if (!isRead) counts.writes++;
      const pdu = isRead ? Buffer.from([3, 2, frame.readUInt8(8), frame.readUInt8(9)]) : frame.subarray(7);
      const head = Buffer.from(frame.subarray(0, 7));
      head.writeUInt16BE(pdu.length + 1, 4);
      socket.write(Buffer.concat([head, pdu]));
      after(socket, ++answers);
      isOver = socket.writableEnded || socket.destroyed;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const bus = createBus(
    {
      name: 'b',
      line: { transport: 'tcp', host: '127.0.0.1', port },
      timeoutMs: 5000,
      retryMaxMs: 200,
      pauseAfterConnectMs: 0,
      pauseBetweenFramesMs: 0,
      devices: [],
    },
    {
      logger: pino({ level: 'silent' }),
      trouble: () => undefined,
      count: (name) => {
        if (name === 'faults_total') counts.timeouts++;
      },
    },
  );
  t.after(async () => {
    await bus.close();
    server.close();
  });
  return { bus, counts };
}

const register = (start: number) => ({ table: 'holding' as const, start, length: 1 });

for (const [how, end] of [
  ['after each answer', (socket: Socket) => void socket.end()],
  ['after each answer with a reset', (socket: Socket) => void setImmediate(() => socket.resetAndDestroy())],
] as const) {
  test(`a server that closes ${how} is read, all blocks of every poll`, async (t) => {
    const { bus, counts } = await serverWith(t, end);
    for (let poll = 0; poll < 10; poll++) {
      const values = await bus.run(priority.poll, async (line) => [
        await line.read(1, register(1)),
        await line.read(1, register(2)),
        await line.read(1, register(3)),
      ]);
      assert.deepEqual(values, [[1], [2], [3]]);
    }
    assert.equal(counts.timeouts, 0);
  });
}

test('once that is known a write has a connection of its own, and is executed once', async (t) => {
  const { bus, counts } = await serverWith(t, (socket) => void socket.end());
  for (let poll = 1; poll < 5; poll++) await bus.run(priority.poll, (line) => line.read(1, register(poll)));
  await bus.run(priority.command, async (line) => {
    await line.read(1, register(1));
    await line.write(1, register(9), [7], new AbortController().signal);
  });
  assert.equal(counts.writes, 1);
});

test('a server that closes now and then is asked again on a new connection, without a wait', async (t) => {
  const { bus, counts } = await serverWith(t, (socket, answers) => {
    if (answers === 5) socket.end();
  });
  for (let n = 1; n <= 40; n++)
    assert.deepEqual(await bus.run(priority.poll, (line) => line.read(1, register(n))), [n]);
  assert.equal(counts.timeouts, 0);
  assert.ok(counts.connections <= 10, String(counts.connections));
});
