// A refusal is asked again, said, and tried again within minutes: it is no law.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { profileSchema } from '../../../contract/profile.ts';
import type { Bus, BusLine } from '../../../gateways/modbus/bus.ts';
import { RefusedError } from '../../../gateways/modbus/faults.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';
import { pollDevice } from '../../../gateways/modbus/poller.ts';
import { createPlanReader } from '../../../gateways/modbus/read-plan.ts';
import { until } from '../support/broker.ts';
import { recordServices } from '../support/services.ts';

const { modbus } = profileSchema.parse({
  profile: 'p',
  manufacturer: 'm',
  model: 'm',
  description: 'd',
  samples: [{ name: 's', expect: {} }],
  device_type: 'temperature',
  modbus: {
    registers: [
      { name: 'a', address: 0, metric: 'temperature', unit: 'Cel' },
      { name: 'b', address: 1, metric: 'humidity', unit: '%' },
    ],
  },
});
assert.ok(modbus);
const map = modbus;

/** A device whose registers from `refusing` on are refused; every read is written down as `start+length`. */
function device() {
  let time = 0;
  const state = { refusing: [] as number[], once: false, reads: [] as string[] };
  const line: Pick<BusLine, 'read'> = {
    read: (_unit, { start, length }) => {
      state.reads.push(`${start}+${length}`);
      const isRefused = state.refusing.some((address) => start <= address && address < start + length);
      if (state.once) state.refusing = [];
      return isRefused
        ? Promise.reject(new RefusedError('Modbus exception 2: Illegal data address', 2))
        : Promise.resolve(Array.from({ length }, (_, index) => 100 + start + index));
    },
  };
  const readPlan = createPlanReader(
    { uid: 'u', unit: 1, map, plans: planReads(map) },
    pino({ level: 'silent' }),
    () => time,
  );
  const poll = async () => {
    state.reads = [];
    const { values, missing } = await readPlan(line as BusLine, 0, 100);
    return { values: Object.fromEntries(values), missing, reads: state.reads };
  };
  return { state, line, poll, wait: (ms: number) => (time += ms) };
}

test('one refusal alone changes nothing', async () => {
  const { state, poll } = device();
  Object.assign(state, { refusing: [1], once: true });
  assert.deepEqual((await poll()).reads, ['0+2', '0+2']);
  assert.deepEqual(await poll(), { values: { a: 100, b: 101 }, missing: [], reads: ['0+2'] });
});

test('a register that is refused again is left out, named, and asked for again within two minutes', async () => {
  const { state, poll, wait } = device();
  state.refusing = [1];
  const first = await poll();
  assert.deepEqual([first.values, first.missing], [{ a: 100 }, ['b']]);
  assert.deepEqual(await poll(), { values: { a: 100 }, missing: ['b'], reads: ['0+1'] });
  state.refusing = [];
  wait(120_000);
  assert.deepEqual(await poll(), { values: { a: 100, b: 101 }, missing: [], reads: ['0+2'] });
});

test('what is refused for days is asked for every half hour at most', async () => {
  const { state, poll, wait } = device();
  state.refusing = [1];
  let asked = 0;
  for (let second = 0; second < 86_400; second += 10) {
    if ((await poll()).reads.includes('1+1')) asked++;
    wait(10_000);
  }
  assert.ok(asked >= 24 && asked < 120, String(asked));
});

test('a device that refuses everything has taught nothing', async () => {
  const { state, poll } = device();
  state.refusing = [0, 1];
  await assert.rejects(poll(), /exception 2/);
  state.refusing = [];
  assert.deepEqual((await poll()).reads, ['0+2']);
});

test('meanwhile the device is degraded, with the names of what it refuses', async () => {
  const { state, line } = device();
  state.refusing = [1];
  const { services, reported } = recordServices();
  const bus: Bus = { run: (_rank, task) => task(line as BusLine), close: () => Promise.resolve() };
  const stop = new AbortController();
  const address = { farm: 'farm1', deviceType: 'temperature', deviceUid: 'u' } as const;
  const [plan] = planReads(map);
  assert.ok(plan);
  const running = pollDevice(
    {
      uid: 'u',
      unit: 1,
      stall: undefined,
      calibration: {},
      address,
      map,
      plans: [{ ...plan, intervalMs: 10 }],
    },
    {
      bus,
      services,
      kgPerLitre: 1.03,
      heartbeatMs: 1000,
      timeoutMs: 100,
      retryMaxMs: 100,
      signal: stop.signal,
    },
  );
  await until('told', () => reported.length > 0);
  stop.abort();
  await running;
  assert.deepEqual(reported[0], { uid: 'u', state: 'degraded', detail: 'refuses to tell b' });
});
