// Faults: the same seed strikes the same requests with the same bytes; each does what its name says, as often as it says.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  brokerIsAway,
  clockErrorMs,
  faultNames,
  firstForeignPlace,
  modbusFate,
  parseFaults,
  tagFate,
  type FaultName,
} from '../../../../scripts/dev/simulator/faults.ts';
import { startModbusServer, type Fate } from '../../../../scripts/dev/simulator/modbus-server.ts';
import { until } from '../../../gateways/support/broker.ts';

const all = parseFaults('all');
const fateOf = (faults: ReadonlySet<FaultName>, seed: number, unit: number, request: number) =>
  modbusFate(faults, { seed, unit, request, lastUnit: 8, elapsedMs: 0 });
const numbers = Array.from({ length: 20_000 }, (_, n) => n);

test('the same seed gives the same fates, another one others', () => {
  const fates = (seed: number) =>
    numbers.slice(0, 2000).map((n) => JSON.stringify(fateOf(all, seed, 1 + (n % 8), n >> 3)));
  assert.deepEqual(fates(7), fates(7));
  assert.notDeepEqual(fates(7), fates(8));
  const clocks = (seed: number) => [0, 1, 2].map((n) => clockErrorMs(all, seed, firstForeignPlace + n, 1));
  assert.deepEqual(clocks(7), clocks(7));
  assert.notDeepEqual(clocks(7), clocks(8));
});

test('every Modbus fault strikes as often as it says, and none uninvited', () => {
  const share = (fault: FaultName, isStruck: (fate: Fate) => boolean) =>
    numbers.filter((n) => isStruck(fateOf(new Set([fault]), 3, 1 + (n % 8), n >> 3))).length / numbers.length;
  const near = (found: number, wanted: number) =>
    assert.ok(Math.abs(found - wanted) < wanted / 4 + 0.001, `${found}, not ${wanted}`);
  near(
    share('garbage', ({ kind }) => kind === 'garbage'),
    1 / 17,
  );
  near(
    share('bit_flips', ({ kind }) => kind === 'flipped'),
    1 / 20,
  );
  near(
    share('wrong_unit', ({ kind }) => kind === 'wrong_unit'),
    1 / 30,
  );
  near(
    share('exceptions', ({ kind }) => kind === 'exception'),
    1 / 25,
  );
  near(
    share('half_open', ({ kind }) => kind === 'half_open'),
    1 / 500,
  );
  near(
    share('late_answer', (fate) => fate.kind === 'answer' && fate.delayMs === 2500),
    1 / 40,
  );
  near(
    share('slow', (fate) => fate.kind === 'answer' && fate.delayMs > 0),
    1 / 10,
  );
  for (const n of numbers.slice(0, 500))
    assert.deepEqual(fateOf(new Set(), 3, 1, n), { kind: 'answer', delayMs: 0 });
  const down = (elapsedMs: number, unit: number) =>
    modbusFate(new Set(['slave_down']), { seed: 1, unit, request: 0, lastUnit: 8, elapsedMs }).kind;
  assert.deepEqual(
    [down(7999, 8), down(8000, 8), down(17_999, 8), down(18_000, 8), down(9000, 7), down(39_000, 8)],
    ['answer', 'silent', 'silent', 'answer', 'answer', 'silent'],
  );
});

test('tags, clocks and the broker', () => {
  const fates = (faults: FaultName[]) =>
    numbers.slice(0, 400).map((n) => tagFate(new Set(faults), n % 8, n >> 3));
  assert.deepEqual(new Set(fates([])), new Set(['read']));
  assert.deepEqual(new Set(fates(['tag_unread'])), new Set(['read', 'unread']));
  assert.deepEqual(new Set(fates(['tag_double'])), new Set(['read', 'passing', 'both']));
  const errorH = (meter: number, milking: number) =>
    clockErrorMs(all, 5, firstForeignPlace + meter, milking) / 3_600_000;
  assert.ok(errorH(0, 0) >= 2 && errorH(0, 0) <= 12 && errorH(0, 4) === errorH(0, 0), 'ahead');
  assert.ok(errorH(1, 0) <= -1 && errorH(1, 0) >= -48, 'behind');
  assert.equal(errorH(2, 0), 0);
  assert.ok(errorH(2, 1) < 0 && errorH(2, 1) >= -1, 'jumps');
  assert.equal(clockErrorMs(new Set(), 5, firstForeignPlace, 0), 0);
  const away = numbers.filter((n) => brokerIsAway(all, n * 60)).length;
  assert.ok(Math.abs(away / numbers.length - 0.5) < 0.05, 'a day of two');
  assert.deepEqual(
    [brokerIsAway(all, 0), brokerIsAway(all, 7200), brokerIsAway(new Set(), 7200)],
    [false, true, false],
  );
});

const request = (number: number, unit: number) =>
  Buffer.from([number >> 8, number & 0xff, 0, 0, 0, 6, unit, 4, 0, 0, 0, 2]);

/** All that a server with these faults answers to many requests over one connection. */
async function answers(t: TestContext, faults: ReadonlySet<FaultName>, seed: number, count: number) {
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    registers: () => [0x1234, 0x00ff, 3],
    fate: (unit, number) => fateOf(faults, seed, unit, number),
  });
  const socket = connect(server.port, '127.0.0.1');
  t.after(async () => {
    socket.destroy();
    await server.close();
  });
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  for (let n = 0; n < count; n++) socket.write(request(n, 1 + (n % 4)));
  // A unit of its own, asked until it answers without a fault, comes last on the wire.
  let last = 0;
  await until('the last answer', () => {
    if (last < 200 && !bytes.includes(Buffer.from([0xee, 4, 4, 0x12, 0x34])))
      socket.write(request(last++, 0xee));
    return bytes.includes(Buffer.from([0xee, 4, 4, 0x12, 0x34]));
  });
  return bytes.subarray(0, bytes.indexOf(Buffer.from([0, 0, 0, 0, 0, 7, 0xee])));
}

test('the same seed gives the same bytes on the wire', async (t) => {
  const faults = new Set<FaultName>(['garbage', 'bit_flips', 'wrong_unit', 'exceptions']);
  const [first, again, other, clean] = [
    await answers(t, faults, 7, 400),
    await answers(t, faults, 7, 400),
    await answers(t, faults, 8, 400),
    await answers(t, new Set(), 7, 400),
  ];
  assert.ok(first.equals(again));
  assert.ok(!first.equals(other) && !first.equals(clean));
  assert.equal(clean.length, 400 * 13);
});

test('a half-open connection is silent and open, a new one is answered', async (t) => {
  const dead =
    numbers.find((n) => fateOf(new Set(['half_open']), 3, 1, n).kind === 'half_open') ?? assert.fail();
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    registers: () => [0x1234, 0x00ff, 3],
    fate: (unit, number) => fateOf(new Set(['half_open']), 3, unit, number),
  });
  t.after(() => server.close());
  const dial = () => {
    const socket = connect(server.port, '127.0.0.1');
    let length = 0;
    let closed = false;
    socket.on('data', (chunk) => (length += chunk.length));
    socket.on('close', () => (closed = true));
    t.after(() => socket.destroy());
    return { socket, length: () => length, closed: () => closed };
  };
  const first = dial();
  for (let n = 0; n < dead + 20; n++) first.socket.write(request(n, 1));
  await until('all answers before', () => first.length() === dead * 13);
  const second = dial();
  second.socket.write(request(0, 1));
  await until('answered on a new connection', () => second.length() === 13);
  assert.deepEqual([first.length(), first.closed()], [dead * 13, false]);
});

test('names are told apart', () => {
  assert.equal(all.size, faultNames.length);
  assert.throws(() => parseFaults('slow,garbge'), /no fault 'garbge'; did you mean 'garbage'/);
});
