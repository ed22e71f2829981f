// Random and mutated frames on real connections, Modbus TCP and RTU: an answer has the asked number of words, or the request fails.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';
import { createRandom, type Random } from '../../../scripts/dev/simulator/random.ts';
import { anyBytes, below, fuzzRuns, pick } from '../../support/fuzz.ts';
import { withCrc } from './frames.ts';

const framesPerRequest = 100;
const count = 4;
const words = [0x1234, 0x00ff, 3, 0xffff];
const tables = { holding: 3, input: 4, coil: 1 } as const;

/** The right answer to a request's PDU, without header or checksum. */
function answerTo(unit: number, code: number): Buffer {
  const data = code <= 2 ? [0x05] : words.flatMap((word) => [word >> 8, word & 0xff]);
  return Buffer.from([unit, code, data.length, ...data]);
}
const exception = (unit: number, code: number) => Buffer.from([unit, code | 0x80, 2]);

/** Many frames that may be anything, and then what was asked for. */
async function listen(t: TestContext, answer: (request: Buffer, random: Random) => Buffer) {
  const random = createRandom(Date.now());
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (request) => {
      if (socket.writable) socket.write(answer(request, random));
    });
    sockets.add(socket);
  });
  const sockets = new Set<Socket>();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function tcpAnswer(request: Buffer, random: Random): Buffer {
  const [number, unit, code] = [request.readUInt16BE(0), request.readUInt8(6), request.readUInt8(7)];
  const frame = (transaction: number, pdu: Buffer) => {
    const header = Buffer.alloc(6);
    header.writeUInt16BE(transaction & 0xffff, 0);
    header.writeUInt16BE(pdu.length, 4);
    return Buffer.concat([header, pdu]);
  };
  const right = answerTo(unit, code);
  const pdus = [right, exception(unit, code), answerTo(unit ^ 1, code), answerTo(unit, code ^ 7)];
  const nonsense = Array.from({ length: framesPerRequest - 1 }, () => {
    // Most keep the stream in step; some break it, which costs a connection.
    const transaction = random() < 0.98 ? number + pick(random, [-2, -1, 1, 7]) : number;
    const whole = frame(transaction, anyBytes(random, pdus, 20));
    return random() < 0.002 ? anyBytes(random, [whole]) : whole;
  });
  return Buffer.concat([...nonsense, frame(number, right)]);
}

function rtuAnswer(request: Buffer, random: Random): Buffer {
  const [unit, code] = [request.readUInt8(0), request.readUInt8(1)];
  const right = withCrc(answerTo(unit, code));
  const frames = [right, withCrc(exception(unit, code)), withCrc(answerTo(unit ^ 1, code))];
  const nonsense = Array.from({ length: framesPerRequest - 1 }, () => {
    const bytes = anyBytes(random, frames, 20);
    // The unit and function that are waited for come seldom by chance, or nothing else would be read.
    if (bytes[0] === unit && random() < 0.9) bytes[0] = unit + 2 + below(random, 9);
    return bytes;
  });
  return Buffer.concat([...nonsense, right]);
}

for (const [transport, answer] of [
  ['tcp', tcpAnswer],
  ['rtu_tcp', rtuAnswer],
] as const) {
  test(`frames over ${transport}: ${fuzzRuns}`, async (t) => {
    const port = await listen(t, answer);
    const bus = createBus(
      {
        name: transport,
        line: { transport, host: '127.0.0.1', port },
        timeoutMs: 20,
        retryMaxMs: 100,
        pauseAfterConnectMs: 0,
        pauseBetweenFramesMs: 0,
        devices: [],
      },
      { logger: pino({ level: 'silent' }), trouble: () => undefined, count: () => undefined },
    );
    t.after(() => bus.close());
    const random = createRandom(1);
    let answered = 0;
    for (let frames = 0; frames < fuzzRuns; frames += framesPerRequest) {
      const table = pick(random, Object.keys(tables) as (keyof typeof tables)[]);
      const place = { table, start: below(random, 100), length: count };
      const read = await bus
        .run(priority.poll, (line) => line.read(1 + below(random, 3), place))
        .catch(() => undefined);
      if (read === undefined) continue;
      answered++;
      assert.equal(read.length, count);
      const most = table === 'coil' ? 1 : 0xffff;
      assert.ok(
        read.every((word) => Number.isInteger(word) && word >= 0 && word <= most),
        read.join(),
      );
    }
    assert.ok(answered > 0, 'some answers come through all of it');
  });
}
