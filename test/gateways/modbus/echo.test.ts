// RS-485 adapters that hear their own requests: the echo is skipped, the answer read.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';
import { createEchoFilter } from '../../../gateways/modbus/echo.ts';
import { noPty, serialDevice } from '../support/pty.ts';
import { withCrc } from './frames.ts';

/** A serial line with an adapter that echoes, and a slave, unit 1, that has each register's own number in it. */
async function echoingLine(t: TestContext, { isDead = false } = {}) {
  const device = serialDevice(t);
  await device.plug();
  const requests: Buffer[] = [];
  let received = Buffer.alloc(0);
  device.onReceived((bytes) => {
    received = Buffer.concat([received, bytes]);
    const length = received[1] === 16 ? 9 + (received[6] ?? 0) : 8;
    if (received.length < length) return;
    const request = received.subarray(0, length);
    received = received.subarray(length);
    requests.push(request);
    const [start, count] = [request.readUInt16BE(2), request.readUInt16BE(4)];
    const words = Array.from({ length: count }, (_, index) => [(start + index) >> 8, (start + index) & 255]);
    const answer =
      request[1] === 3
        ? withCrc(Buffer.from([1, 3, 2 * count, ...words.flat()]))
        : request[1] === 16
          ? withCrc(request.subarray(0, 6))
          : request;
    // The echo comes in pieces, and so does the answer.
    device.send(request.subarray(0, 3));
    device.send(request.subarray(3));
    if (isDead && request[1] !== 3) return;
    device.send(answer.subarray(0, 4));
    device.send(answer.subarray(4));
  });
  const bus = createBus(
    {
      name: 'b',
      line: {
        transport: 'rtu',
        path: device.path,
        baudRate: 19_200,
        dataBits: 8,
        parity: 'none',
        stopBits: 1,
      },
      timeoutMs: 1000,
      retryMaxMs: 200,
      pauseAfterConnectMs: 0,
      pauseBetweenFramesMs: 0,
      devices: [],
    },
    { logger: pino({ level: 'silent' }), trouble: () => undefined, count: () => undefined },
  );
  t.after(() => bus.close());
  const read = (start: number, length: number) =>
    bus.run(priority.poll, (line) => line.read(1, { table: 'holding', start, length }));
  const write = (words: number[]) =>
    bus.run(priority.command, (line) =>
      line.write(
        1,
        { table: 'holding', start: 9, length: words.length },
        words,
        new AbortController().signal,
      ),
    );
  return { read, write, requests };
}

test('reads and writes through an adapter that echoes', { skip: noPty() }, async (t) => {
  const { read, write, requests } = await echoingLine(t);
  for (let length = 1; length <= 12; length++)
    assert.deepEqual(
      await read(700, length),
      Array.from({ length }, (_, index) => 700 + index),
    );
  await write([7]);
  await write([7, 8, 9]);
  assert.equal(requests.length, 14);
});

test('the echo of a write is not its confirmation', { skip: noPty() }, async (t) => {
  const { read, write } = await echoingLine(t, { isDead: true });
  await read(1, 2);
  await assert.rejects(write([7]), /Timed out/);
  await assert.rejects(write([7, 8]), /Timed out/);
});

test('whatever the pieces, echo and answer are told apart, and no byte of a line without echo is lost', () => {
  const frame = fc.uint8Array({ minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 30, maxLength: 30 }),
      frame,
      (isEcho, cuts, data) => {
        const request = withCrc(Buffer.from([1, 3, 0, 200, 0, 6]));
        const answer = withCrc(Buffer.from([1, 3, data.length, ...data]));
        const filter = createEchoFilter();
        filter.sent(request);
        let bytes: Uint8Array = isEcho ? Buffer.concat([request, answer]) : answer;
        const kept: number[] = [];
        for (const cut of cuts) {
          kept.push(...filter.received(bytes.subarray(0, cut)));
          bytes = bytes.subarray(cut);
        }
        kept.push(...filter.received(bytes));
        assert.deepEqual(kept, [...answer]);
        assert.equal(filter.echoes(), isEcho);
      },
    ),
  );
});
