// The simulated bus, byte by byte: framing, exceptions, units that do not exist.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startModbusServer, type Fate } from '../../../../scripts/dev/simulator/modbus-server.ts';

/** Sends the pieces and returns the first `length` bytes that come back, as hex. */
async function talk(
  t: TestContext,
  pieces: string[],
  length: number,
  fate: Fate = { kind: 'answer', delayMs: 0 },
) {
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    registers: (unit) => (unit === 1 ? [0x1234, 0x00ff, 3] : undefined),
    fate: () => fate,
  });
  const socket = connect(server.port, '127.0.0.1');
  t.after(async () => {
    socket.destroy();
    await server.close();
  });
  let hex = '';
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      hex += chunk.toString('hex');
      if (hex.length >= 2 * length) resolve();
    });
  });
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(Buffer.from(piece, 'hex'), resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await done;
  return hex;
}

test('reads input registers', async (t) => {
  assert.equal(await talk(t, ['000700000006010400000002'], 13), '0007000000070104041234' + '00ff');
});

test('takes a request in pieces, and two in one piece', async (t) => {
  assert.equal(await talk(t, ['00070000', '0006010400', '010001'], 11), '00070000000501040200ff');
  const two = '000100000006010400000001' + '000200000006010400020001';
  assert.equal(await talk(t, [two], 22), '0001000000050104021234' + '0002000000050104020003');
});

test('answers what it cannot do with an exception', async (t) => {
  assert.equal(await talk(t, ['000100000006010300000001'], 9), '000100000003018301');
  assert.equal(await talk(t, ['000100000006010400020002'], 9), '000100000003018402');
  assert.equal(await talk(t, ['0001000000060104000000ff'], 9), '000100000003018403');
});

test('a unit that does not exist is silent, its neighbours are not', async (t) => {
  const both = '000100000006090400000001' + '000200000006010400000001';
  assert.equal(await talk(t, [both], 11), '0002000000050104021234');
});

test('nonsense keeps the frame whole but not its meaning', async (t) => {
  const hex = await talk(t, ['000100000006010400000001'], 12, { kind: 'garbage' });
  assert.equal(hex, '000100000006010463deadbe');
});
