// Interoperation with pymodbus over TCP, RTU over TCP, and RTU through a pty pair.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { profileSchema } from '../../../contract/profile.ts';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';
import { executeCommand } from '../../../gateways/modbus/command.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';
import { createPlanReader } from '../../../gateways/modbus/read-plan.ts';
import type { Line } from '../../../gateways/modbus/settings.ts';
import { noPymodbus, startPymodbus } from './pymodbus.ts';

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

/** Unit u of the server holds address + 100·u in every register, and every third bit is set; addresses end at 99 and 63. */
const map = profileSchema.parse({
  profile: 'p',
  device_type: 'temperature',
  manufacturer: 'm',
  model: 'm',
  description: 'd',
  samples: [{ name: 's', expect: {} }],
  modbus: {
    address_base: 1,
    max_gap: 20,
    registers: [
      { name: 'first', address: 1 },
      { name: 'wide', address: 11, type: 'uint32', word_order: 'CDAB' },
      { name: 'last', address: 99 },
      { name: 'beyond', address: 105 },
      { name: 'input', table: 'input', address: 6, scale: 0.1 },
      { name: 'coil_off', table: 'coil', address: 3, type: 'bool' },
      { name: 'coil_on', table: 'coil', address: 4, type: 'bool' },
      { name: 'discrete', table: 'discrete', address: 7, type: 'bool' },
      { name: 'set_point', address: 31, scale: 0.1 },
      { name: 'total', address: 41, type: 'float32', word_order: 'CDAB' },
    ],
    commands: [
      { name: 'cool_to', register: 'set_point', min: 2, max: 8 },
      { name: 'set_total', register: 'total' },
      { name: 'open', register: 'coil_off', value: true },
    ],
  },
}).modbus!;
const plans = planReads(map);
const command = (name: string, value?: number) => ({
  id: 'c',
  command: name,
  timeout_ms: 5000,
  ...(value === undefined ? {} : { value }),
});

async function connect(t: TestContext, transport: Line['transport']) {
  const line = await startPymodbus(t, transport);
  const count = () => undefined;
  const bus = createBus(
    {
      name: transport,
      line,
      timeoutMs: 500,
      retryMaxMs: 500,
      pauseAfterConnectMs: 20,
      pauseBetweenFramesMs: transport === 'rtu' ? 3 : 0,
      devices: [],
    },
    { logger, trouble: () => undefined, count },
  );
  t.after(() => bus.close());
  const reader = (unit: number) => createPlanReader({ uid: `u${unit}`, unit, map, plans }, logger);
  const read = (unit: number, readPlan = reader(unit)) =>
    bus.run(priority.poll, async (busLine) => Object.fromEntries((await readPlan(busLine, 0, 500)).values));
  // The server says READY just before it listens.
  for (let tries = 0; ; tries++) {
    const trouble = await read(1).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (trouble === undefined) break;
    // Between attempts to connect it says only that it is not connected.
    const isAttempt = trouble instanceof Error && trouble.cause !== undefined;
    if (tries > 100 && isAttempt) throw trouble;
    await sleep(100);
  }
  return { bus, read, reader };
}

for (const transport of ['tcp', 'rtu_tcp', 'rtu'] as const) {
  test(`pymodbus over ${transport}`, { skip: noPymodbus() }, async (t) => {
    const { bus, read, reader } = await connect(t, transport);
    const expected = (unit: number) => ({
      first: 100 * unit,
      wide: (100 * unit + 11) * 65_536 + 100 * unit + 10,
      last: 100 * unit + 98,
      input: (100 * unit + 5) / 10,
      coil_off: false,
      coil_on: true,
      discrete: true,
      set_point: (100 * unit + 30) / 10,
    });
    const first = await read(1);
    const { total, ...rest } = first;
    assert.equal(typeof total, 'number');
    // 'beyond' is behind the end of the server's registers: its block was refused, cut, and the rest read.
    assert.deepEqual(rest, expected(1));
    const readTwo = reader(2);
    await read(2, readTwo);
    const again = await bus.run(priority.poll, (line) => readTwo(line, 0, 500));
    assert.equal(again.values.get('last'), 298);
    assert.ok(again.requests <= 8, 'a learned split is not learned again');

    const execute = (unit: number, name: string, value?: number) =>
      executeCommand({ unit, map }, bus, command(name, value), new AbortController().signal);
    assert.deepEqual(await execute(1, 'cool_to', 4.2), { result: 'done', value: 4.2 });
    assert.deepEqual(await execute(2, 'set_total', 1234.5), { result: 'done', value: 1234.5 });
    assert.deepEqual(await execute(2, 'open'), { result: 'done', value: true });
    assert.match((await execute(1, 'cool_to', 20)).detail ?? '', /outside 2 to 8/);
    assert.match((await execute(1, 'cool_tp', 4)).detail ?? '', /did you mean 'cool_to'/);
    assert.equal((await read(1))['set_point'], 4.2);
    assert.equal((await read(2))['coil_off'], true);

    // A unit that is not there costs its own polls only.
    await assert.rejects(read(9));
    assert.equal((await read(1))['first'], 100);
  });
}
