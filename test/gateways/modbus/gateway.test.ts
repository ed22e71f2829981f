// The gateway end to end: simulated parlour on real Modbus TCP, real broker, every milking audited against the truth.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { envelopeSchema, type Envelope } from '../../../contract/envelope.ts';
import { statusSchema } from '../../../contract/status.ts';
import { protocol } from '../../../gateways/modbus/protocol.ts';
import type { ModbusSettings } from '../../../gateways/modbus/settings.ts';
import { loadGatewayConfig, type GatewayConfig } from '../../../gateways/shared/config.ts';
import { startGateway, type Gateway } from '../../../gateways/shared/gateway.ts';
import { protocolNames } from '../../../gateways/shared/process.ts';
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../../scripts/dev/simulator/simulator.ts';
import { anyBroker, startOwnBroker, until, watch, type Broker, type Watch } from '../support/broker.ts';

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

interface Rig {
  simulator: Simulator;
  config: GatewayConfig;
  start: () => Promise<Gateway>;
  eyes: Watch;
  envelopes: (uid?: string) => Envelope[];
  statuses: (uid: string) => string[];
}

/** A parlour, a broker and a watcher; polls every 50 ms. Everything is released with the test. */
async function setUp(
  t: TestContext,
  broker: Broker,
  options: SimulatorOptions & { extraUnit?: number },
): Promise<Rig> {
  const farm = `t${Math.random().toString(36).slice(2, 10)}`;
  const { stalls = 4, extraUnit } = options;
  const eyes = await watch(broker, `dairy/${farm}/#`);
  t.after(() => eyes.close());
  const mqtt = { url: broker.url, username: broker.username, password: broker.password };
  const simulator = await startSimulator({ speed: 100, seed: 7, ...options, stalls, farm });
  t.after(() => simulator.stop());
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const environment = {
    MQTT_URL: broker.url,
    SIMULATOR_MODBUS_PORT: String(simulator.modbusPort),
    GATEWAY_SPOOL_FILE: join(folder, 'spool.sqlite'),
  };
  const others = protocolNames().filter((name) => name !== 'modbus');
  const loaded = loadGatewayConfig('config/gateway.yaml', [protocol], environment, others);
  const modbus = loaded.settings.get('modbus') as ModbusSettings;
  const bus = modbus.buses[0]!;
  const pattern = bus.devices[0]!;
  const uids = [
    ...Array.from({ length: stalls }, (_, i) => i + 1),
    ...(extraUnit === undefined ? [] : [extraUnit]),
  ];
  const devices = uids.map((unit) => {
    const uid = `stall-${String(unit).padStart(2, '0')}`;
    const address = { farm, deviceType: 'milk_meter' as const, deviceUid: uid };
    return {
      ...pattern,
      uid,
      unit,
      stall: String(unit),
      address,
      map: { ...pattern.map, poll_interval_ms: 50 },
      plans: pattern.plans.map((plan) => ({ ...plan, intervalMs: 50 })),
    };
  });
  const settings: ModbusSettings = {
    ...modbus,
    heartbeatMs: 300,
    buses: [{ ...bus, timeoutMs: 150, retryMaxMs: 400, devices }],
  };
  const config: GatewayConfig = {
    shared: { ...loaded.shared, farm, mqtt, spool: { ...loaded.shared.spool, commit_ms: 20 } },
    settings: new Map([['modbus', settings]]),
  };
  const parsed = (suffix: string, uid: string) =>
    eyes.seen
      .filter(({ topic }) => topic.startsWith(`dairy/${farm}/`) && topic.endsWith(`/${uid}/${suffix}`))
      .map(({ text }): unknown => JSON.parse(text));
  return {
    simulator,
    config,
    eyes,
    start: async () => {
      const gateway = await startGateway(config, [protocol], logger);
      t.after(() => gateway.stop());
      return gateway;
    },
    envelopes: (uid) =>
      (uid === undefined ? devices.map((device) => device.uid) : [uid])
        .flatMap((name) => parsed('data', name))
        .map((message) => envelopeSchema.parse(message)),
    statuses: (uid) => parsed('status', uid).map((message) => statusSchema.parse(message).state),
  };
}

const closing = (envelopes: Envelope[], id: string) =>
  envelopes.filter(
    ({ session }) => session?.id === id && (session.event === 'end' || session.event === 'record'),
  );
const valueOf = (envelope: Envelope | undefined, metric: string) =>
  envelope?.points.find(({ m }) => m === metric)?.v;

/** Waits until every milking of the truth was told, then compares. At most `unheard` may have been over before their meter first answered. */
async function auditAll({ simulator, envelopes }: Rig, count: number, unheard = 0): Promise<void> {
  await simulator.finished;
  assert.equal(simulator.truth.length, count);
  const isHeard = ({ device_uid, ended_at }: Simulator['truth'][number]) =>
    String(envelopes(device_uid)[0]?.at) <= ended_at;
  const heard = unheard === 0 ? simulator.truth : simulator.truth.filter(isHeard);
  assert.ok(heard.length >= count - unheard);
  for (const milking of heard) {
    const told = () => closing(envelopes(milking.device_uid), milking.session_id);
    await until(`${milking.device_uid}/${milking.session_id} told`, () => told().length > 0);
    // What was acknowledged just before a restart may come again, byte for byte.
    assert.equal(new Set(told().map((envelope) => JSON.stringify(envelope))).size, 1);
    const envelope = told()[0];
    assert.equal(valueOf(envelope, 'milk_yield'), milking.yield_kg);
    assert.equal(valueOf(envelope, 'milking_duration'), undefined, 'the simulated clock runs faster');
    assert.equal(valueOf(envelope, 'milk_fat') ?? null, milking.fat);
    assert.equal(valueOf(envelope, 'milk_scc') ?? null, milking.scc_per_ml);
    assert.equal(envelope?.stall, milking.stall);
  }
}

test('every milking is told once, with the meter’s own totals', async (t) => {
  const broker = await anyBroker();
  t.after(() => broker.stop());
  t.diagnostic(`broker: ${broker.name}`);
  const rig = await setUp(t, broker, { milkings: 7 });
  const gateway = await rig.start();
  await auditAll(rig, 7);

  const [stall] = rig.simulator.truth.filter(({ device_uid }) => device_uid === 'stall-01').toReversed();
  const story = rig
    .envelopes('stall-01')
    .filter(({ session }) => session?.id === stall?.session_id)
    .map((envelope) => [envelope.session?.event, valueOf(envelope, 'milk_yield') ?? 0] as const);
  const events = story.map(([event]) => event);
  assert.match(events.join(), /^start(,reading)+,end$/);
  const yields = story.map(([, yieldKg]) => yieldKg);
  assert.deepEqual(
    yields,
    yields.toSorted((a, b) => a - b),
  );
  assert.ok(yields.length > 10);

  await until('a heartbeat', () => rig.envelopes().at(-1)?.session === undefined);
  const beat = rig.envelopes().findLast(({ session }) => session === undefined);
  assert.deepEqual(
    beat?.points.map(({ m }) => m),
    ['vacuum_pressure', 'pulsation_rate'],
  );
  assert.deepEqual(rig.statuses('stall-01'), ['online']);
  await gateway.stop();
  await until('goodbye', () => rig.statuses(rig.config.shared.uid).at(-1) === 'offline');
  // Once more as its devices come in: their number is part of it.
  assert.match(rig.statuses(rig.config.shared.uid).join(), /^online(,online)*,offline$/);
  assert.equal(gateway.counts().dropped, 0);
});

test('a unit that never answers is offline, and the others do not notice', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const rig = await setUp(t, broker, { milkings: 4, extraUnit: 99 });
  await rig.start();
  await auditAll(rig, 4);
  await until('offline', () => rig.statuses('stall-99').length > 0);
  assert.deepEqual(rig.statuses('stall-99'), ['offline']);
  for (const unit of [1, 2, 3, 4]) assert.deepEqual(rig.statuses(`stall-0${unit}`), ['online']);
  assert.deepEqual(rig.envelopes('stall-99'), []);
});

test('nonsense, late, foreign, refused and turned answers and dead connections cost polls, never a milking', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const rig = await setUp(t, broker, {
    milkings: 8,
    faults: new Set([
      ...(['garbage', 'slow', 'slave_down', 'bit_flips', 'wrong_unit', 'exceptions'] as const),
      ...(['half_open', 'late_answer'] as const),
    ]),
    speed: 60,
  });
  await rig.start();
  await auditAll(rig, 8, 4);
});

test('the bus comes back after an outage, and a milking missed whole is told from the held totals', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  // Three, and slow, because the broker is first found to speak MQTT 3.1.1 only: by then one may be over on a slow machine.
  const rig = await setUp(t, broker, { stalls: 1, milkings: 3, speed: 25 });
  await rig.start();
  await until('a reading', () => rig.envelopes('stall-01').length > 0);
  const stoppedAt = new Date().toISOString();
  await rig.simulator.stopModbus();
  await until('offline', () => rig.statuses('stall-01').at(-1) === 'offline');
  await rig.simulator.finished;
  await rig.simulator.restartModbus();
  const missed = rig.simulator.truth.at(-1)!;
  const torn = rig.simulator.truth.filter((milking) => milking !== missed && milking.ended_at > stoppedAt);
  await until('told', () => closing(rig.envelopes(), missed.session_id).length > 0);
  const [record] = closing(rig.envelopes(), missed.session_id);
  assert.equal(record?.session?.event, 'record');
  assert.equal(valueOf(record, 'milk_yield'), missed.yield_kg);
  // Nobody saw the totals of those before: their ends are not made up.
  assert.ok(torn.length > 0);
  for (const { session_id } of torn) assert.deepEqual(closing(rig.envelopes(), session_id), []);
  await until('online', () => rig.statuses('stall-01').join() === 'online,offline,online');
});

test('a restarted gateway tells what ended meanwhile, and tells it once', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const rig = await setUp(t, broker, { stalls: 2, milkings: 2 });
  const first = await rig.start();
  await until('readings', () => rig.envelopes('stall-01').length > 0 && rig.envelopes('stall-02').length > 0);
  await first.stop();
  await rig.simulator.finished;
  const second = await rig.start();
  await auditAll(rig, 2);
  await second.stop();
  const before = rig.eyes.seen.length;
  await rig.start();
  await until('heartbeats', () => rig.eyes.seen.length > before + 4);
  await auditAll(rig, 2);
});

test('readings made while the broker restarts arrive afterwards', async (t) => {
  const broker = await startOwnBroker();
  const rig = await setUp(t, broker, { milkings: 4, speed: 40 });
  const gateway = await rig.start();
  await until('readings', () => rig.envelopes().length > 8);
  await broker.stop();
  await until('a backlog', () => gateway.counts().waiting > 20);
  const again = await startOwnBroker(broker.port);
  t.after(() => again.stop());
  await auditAll(rig, 4);
  await until('all confirmed', () => gateway.counts().waiting === 0);
  assert.equal(gateway.counts().dropped, 0);
});
