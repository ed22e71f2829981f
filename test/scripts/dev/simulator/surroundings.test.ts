// Collars, tanks, feeders, sensors and the tag reader of the simulated farm, as the gateways read them.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { envelopeSchema } from '../../../../contract/envelope.ts';
import { loadMetrics, loadProfiles } from '../../../../contract/runtime/profiles.ts';
import { smartDairyCollar } from '../../../../gateways/lorawan/codecs/smart-dairy-collar.ts';
import { findDevice } from '../../../../gateways/lorawan/devices.ts';
import { readEvent } from '../../../../gateways/lorawan/events.ts';
import { interpret } from '../../../../gateways/lorawan/interpret.ts';
import { toModel } from '../../../../gateways/lorawan/model.ts';
import { decodeBlocks, toPoints } from '../../../../gateways/modbus/decode.ts';
import { planReads } from '../../../../gateways/modbus/plan.ts';
import { createCow } from '../../../../scripts/dev/simulator/cow.ts';
import type { Message } from '../../../../scripts/dev/simulator/foreign-meters.ts';
import { startRfidServer } from '../../../../scripts/dev/simulator/rfid-server.ts';
import { createSurroundings } from '../../../../scripts/dev/simulator/surroundings-side.ts';
import { collarPayload, sensorReading, tankTables } from '../../../../scripts/dev/simulator/surroundings.ts';

const metrics = loadMetrics('config/metrics.yaml');
const profiles = loadProfiles('config/profiles', metrics);
const collar = toModel(profiles.get('smart-dairy-collar') ?? assert.fail(), 1.03) ?? assert.fail();
const herd = Array.from({ length: 24 }, (_, index) => createCow(1, index + 1));
const clock = (atS: number) => new Date(Date.parse('2026-11-20T05:00:00Z') + atS * 1000).toISOString();

function listen(untilS: number, stepS: number): Message[] {
  const messages: Message[] = [];
  const publish = (message: Message) => void messages.push(message);
  const speak = createSurroundings({
    farm: 'farm1',
    seed: 1,
    herd,
    publish,
    http: undefined,
    clock,
    onTrouble: (text) => assert.fail(text),
  });
  for (let atS = 0; atS <= untilS; atS += stepS) speak(atS);
  return messages;
}

test('every collar reports, and our profile reads what it says', () => {
  const events = listen(1799, 7).filter(({ topic }) => topic.startsWith('application/'));
  assert.equal(events.length, 2 * 24);
  for (const { topic, payload } of events) {
    const event = readEvent(topic.split('/').at(-1) ?? '', JSON.parse(payload));
    assert.ok(typeof event === 'object');
    const device = findDevice('farm1', event.body.deviceInfo, {
      mqtt: undefined,
      http: undefined,
      discover: true,
      unknownDeviceType: 'temperature',
      models: new Map([[collar.name, collar]]),
      assigned: new Map(),
      devices: new Map(),
    });
    assert.equal(device?.address.deviceType, 'collar');
    const said = interpret(event, { model: device.model, arrivedAt: Date.parse(clock(1800)) });
    assert.deepEqual(said.state, { state: 'online' });
    const envelope = envelopeSchema.parse({ ...said.envelope, ...device.extra });
    assert.match(envelope.animal?.rfid ?? '', /^050/);
    for (const { m, v } of envelope.points) {
      const { min = -Infinity, max = Infinity } = metrics.get(m) ?? assert.fail(m);
      assert.ok(v >= min && v <= max, `${m} ${v}`);
    }
  }
});

test('the same seed says the same, however often it is asked', () => {
  assert.deepEqual(listen(2000, 3).toSorted(byTopic), listen(2000, 500).toSorted(byTopic));
  assert.notDeepEqual(collarPayload(1, 1, 1), collarPayload(2, 1, 1));
});
const byTopic = (a: Message, b: Message) => (a.topic + a.payload < b.topic + b.payload ? -1 : 1);

test('collars, tanks and sensors stay within what can be for a year', () => {
  const map = profiles.get('bulk-tank-controller-modbus')?.modbus ?? assert.fail();
  const blocks = planReads(map).flatMap((plan) => plan.blocks);
  for (let day = 0; day < 365; day++) {
    const report = collarPayload(3, 1 + (day % 24), day * 96);
    assert.equal(typeof smartDairyCollar.decode(10, report), 'object');
    const tables = tankTables(3, day % 2, day * 86_400 + day * 300);
    const data = blocks.map(({ table, start, length }) =>
      Array.from({ length }, (_, index) => tables[table][start + index] ?? assert.fail()),
    );
    const points = toPoints(map, decodeBlocks(map, blocks, data), { kgPerLitre: 1.03, scope: 'all' });
    assert.equal(points.length, 6);
    for (const { m, v, q } of points) {
      const { min = -Infinity, max = Infinity } = metrics.get(m) ?? assert.fail(m);
      assert.ok(q === undefined && v >= min && v <= max, `${m} ${v}`);
    }
    const { temperature = NaN, humidity = NaN } = sensorReading(3, 'barn-climate', day * 86_400 + day * 300);
    assert.ok(temperature > 10 && temperature < 40 && humidity > 30 && humidity < 95);
  }
});

test('the tag reader says every tag to whoever is connected', async () => {
  const server = await startRfidServer('127.0.0.1', 0);
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  const heard = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('NOREAD\r\n'.slice(0)) && text.includes('4;NOREAD')) resolve();
    });
  });
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  const timer = setInterval(() => {
    server.read('3', '050000000000017');
    server.read('4', undefined);
  }, 20);
  await heard;
  clearInterval(timer);
  assert.ok(text.includes('3;LA 050 000000000017\r\n'));
  socket.destroy();
  await server.close();
});
