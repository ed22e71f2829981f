// The RFID gateway on real lines: a TCP reader that goes and comes, several antennas, and a serial line where there are pty pairs.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { protocol } from '../../../gateways/rfid/protocol.ts';
import { until } from '../support/broker.ts';
import { noPty, serialDevice } from '../support/pty.ts';
import { recordServices } from '../support/services.ts';
import { resolveSection } from '../support/site.ts';

const resolve = (section: unknown) => resolveSection(protocol, section);

async function startReader() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    say: (text: string) => sockets.forEach((socket) => socket.write(text)),
    connections: () => sockets.size,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop: () =>
      new Promise<void>((stopped) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => stopped());
      }),
  };
}

test('tags with their stalls, once a visit, over a line that breaks', async () => {
  const reader = await startReader();
  const record = recordServices();
  const { settings, problems } = resolve({
    readers: [
      {
        uid: 'parlour-rfid',
        host: '127.0.0.1',
        port: reader.port,
        antenna: '(\\d+);',
        stalls: { '1': 'A1', '2': 'A2' },
        settle_ms: 50,
        retry_max_ms: 100,
      },
    ],
  });
  assert.deepEqual(problems, []);
  const running = protocol.start(settings, record.services);
  await until('connected', () => reader.connections() === 1);
  const read = '1;LA 982 000001088420\r\n';
  reader.say(read.slice(0, 9));
  reader.say(read.slice(9) + read + '1;NOREAD\r\n2;982000001088421\r\n2;982000001088422\r\n');
  await until('three tags', () => record.published.length === 3);
  reader.say(read);
  assert.deepEqual(
    record.published.map(({ envelope }) => [envelope.animal?.rfid, envelope.stall]),
    [
      ['982000001088420', 'A1'],
      ['982000001088421', undefined],
      ['982000001088422', undefined],
    ],
  );
  assert.deepEqual(record.published[0]?.envelope.points, []);
  assert.equal(record.published[0].address.deviceType, 'rfid_reader');
  assert.equal(record.counts.get('rfid_unread_total parlour-rfid'), 1);
  assert.equal(record.counts.get('rfid_double_reads_total parlour-rfid'), 1);

  await running.reload(settings);
  assert.equal(reader.connections(), 1, 'an identical configuration costs no connection');
  reader.cut();
  await until('offline told', () => record.reported.some(({ state }) => state === 'offline'));
  await until(
    'connected again',
    () => reader.connections() === 1 && record.reported.at(-1)?.state === 'online',
  );
  reader.say('2;LA 982 000001088423\r\n');
  await until(
    'a tag after the break',
    () => record.published.at(-1)?.envelope.animal?.rfid === '982000001088423',
  );
  assert.equal(record.published.length, 4, 'the cow at A1 still stands there');
  await running.stop();
  await reader.stop();
});

test('a reader that sends nonsense is reported', async () => {
  const reader = await startReader();
  const record = recordServices();
  const { settings } = resolve({
    readers: [{ uid: 'r', host: '127.0.0.1', port: reader.port, stall: '1', settle_ms: 0 }],
  });
  const running = protocol.start(settings, record.services);
  await until('connected', () => reader.connections() === 1);
  reader.say('garbage\r\n'.repeat(25));
  await until('reported', () => record.reported.at(-1)?.state === 'degraded');
  reader.say('982000001088420\r\n');
  await until('read', () => record.published.length === 1);
  assert.equal(record.reported.at(-1)?.state, 'online');
  await running.stop();
  await reader.stop();
});

test('mistakes in the section are named', () => {
  const { problems } = resolve({
    readers: [
      { uid: 'a' },
      { uid: 'b', path: '/dev/ttyUSB0', stalls: { '1': '1' } },
      { uid: 'c', path: '/dev/x', antenna: '(' },
    ],
  });
  assert.deepEqual(problems, [
    'readers.0: a reader needs host and port, or path (a serial line)',
    'readers.1.stalls: stalls by antenna need an antenna pattern',
    "readers.2.antenna: '(' is no regular expression",
  ]);
});

test('a serial line that is not there is tried again', async () => {
  const record = recordServices();
  const { settings } = resolve({ readers: [{ uid: 'r', path: '/dev/no-such-line', retry_max_ms: 100 }] });
  const running = protocol.start(settings, record.services);
  await until('tried twice', () => record.reported.filter(({ state }) => state === 'offline').length >= 2);
  await running.stop();
});

test(
  'a reader on a serial line: STX, lines in pieces, noise, and the plug pulled',
  { skip: noPty() },
  async (t) => {
    const device = serialDevice(t);
    const record = recordServices();
    const { settings, problems } = resolve({
      readers: [
        {
          uid: 'gate',
          path: device.path,
          baud: 9600,
          stall: '1',
          settle_ms: 20,
          quiet_ms: 0,
          retry_max_ms: 100,
        },
      ],
    });
    assert.deepEqual(problems, []);
    const running = protocol.start(settings, record.services);
    t.after(() => running.stop());
    await until('there is none yet', () => record.reported.at(-1)?.state === 'offline');
    await device.plug();
    await until('opened', () => record.reported.at(-1)?.state === 'online');
    const tags = () => record.published.map(({ envelope }) => envelope.animal?.rfid);
    const heard = async (count: number) => {
      await until(`${count} tags`, () => tags().length >= count);
      return tags().at(-1);
    };

    device.send('\u0002LA 982 000001088420\r\n');
    assert.equal(await heard(1), '982000001088420');
    for (const piece of ['\u0002', 'LA 0000', '0 0 982 00000', '1088421\r', '\n']) {
      device.send(piece);
      await new Promise((done) => setTimeout(done, 15));
    }
    assert.equal(await heard(2), '982000001088421');
    device.send('\u0002050 000000000017\u0003');
    assert.equal(await heard(3), '050000000000017');
    device.send('LR 0006 0000000018514348\r\n8000F58000109BA7\r\n');
    assert.equal(await heard(4), '982000001088423');
    // Noise of a line that is plugged in or runs beside a motor; a line without an end; then the reader again.
    device.send(Uint8Array.from({ length: 700 }, (_, n) => 0x80 + ((n * 37) % 128)));
    device.send('\r\n\u0000\u00ff\u00fe\r\n982000001088424\r\n');
    assert.equal(await heard(5), '982000001088424');
    assert.equal(record.counts.get('rfid_lines_ignored_total gate'), 2);

    device.send('982 00000108');
    await new Promise((done) => setTimeout(done, 50));
    await device.unplug();
    await until('unplugged', () => record.reported.at(-1)?.state === 'offline');
    await device.plug();
    await until('plugged in again', () => record.reported.at(-1)?.state === 'online');
    device.send('8425\r\n982000001088426\r\n');
    assert.equal(await heard(6), '982000001088426', 'half a line of before belongs to nothing');
    assert.deepEqual(new Set(record.published.map(({ envelope }) => envelope.stall)), new Set(['1']));
  },
);
