// What the farm says over MQTT agrees with its truth; faults do what their names say.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { envelopeSchema } from '../../../../contract/envelope.ts';
import { parseFaults } from '../../../../scripts/dev/simulator/faults.ts';
import { connectMqttSide } from '../../../../scripts/dev/simulator/mqtt-side.ts';
import { startSimulator, type SimulatorOptions } from '../../../../scripts/dev/simulator/simulator.ts';
import { startOwnBroker, until, watch } from '../../../gateways/support/broker.ts';

/** Runs a farm to its end; returns its truth and all its messages. */
async function run(t: TestContext, options: SimulatorOptions) {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const eyes = await watch(broker, '#');
  t.after(() => eyes.close());
  const simulator = await startSimulator({
    stalls: 4,
    speed: 200,
    openAfterMs: 0,
    runNumber: 1,
    mqtt: { url: broker.url },
    ...options,
  });
  t.after(() => simulator.stop());
  await simulator.finished;
  await simulator.stop();
  // What the broker has by now comes before this.
  const side = connectMqttSide({ url: broker.url }, (text) => assert.fail(text));
  side.publish({ topic: 'that-was-all', payload: '' });
  const isLast = ({ topic }: { topic: string }) => topic === 'that-was-all';
  await until('all', () => eyes.seen.some(isLast));
  await side.stop();
  return { truth: simulator.truth, seen: eyes.seen.filter((message) => !isLast(message)) };
}

const parse = (text: string) => JSON.parse(text) as Record<string, unknown>;

test('records and sessions add up to the truth, tags are read', async (t) => {
  const { truth, seen } = await run(t, { milkings: 12 });
  assert.equal(truth.length, 12);
  for (const milking of truth) {
    const own = seen
      .filter(({ text }) => text.includes(`"${milking.session_id}"`))
      .map(({ text }) => parse(text));
    if (milking.voice === 'record') {
      assert.equal(own.length, 1);
      assert.ok(Math.abs(Number(own[0]!['yield_liters']) * 1.03 - milking.yield_kg) < 0.001);
      assert.equal(own[0]!['rfid_tag'], milking.rfid);
    } else if (milking.voice === 'session') {
      const litres = own.reduce((sum, message) => sum + Number(message['volume'] ?? 0), 0);
      assert.ok(Math.abs(litres * 1.03 - milking.yield_kg) < 0.001);
      assert.deepEqual([own.at(0)?.['type'], own.at(-1)?.['type']], ['session_start', 'session_end']);
    } else {
      assert.equal(milking.tag_read, true);
      const read = seen.find(
        ({ topic, text }) => topic.includes('rfid_reader') && text.includes(milking.rfid),
      );
      const envelope = envelopeSchema.parse(JSON.parse(read!.text));
      assert.equal(envelope.stall, milking.stall);
      assert.ok(String(envelope.at) < milking.started_at);
    }
  }
});

test('the same seed milks the same milk and says it with the same bytes, faults and all', async (t) => {
  const faults = parseFaults('all');
  const said = async (seed: number) =>
    (await run(t, { milkings: 8, seed, faults, zeroMs: Date.parse('2026-11-20T05:00:00Z') })).seen
      .map(({ topic, text }) => `${topic} ${text}`)
      .toSorted();
  const first = await said(5);
  assert.ok(first.length > 100);
  assert.deepEqual(await said(5), first);
  assert.notDeepEqual(await said(6), first);
});

test('while the broker is away messages wait, and come in their order', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const eyes = await watch(broker, '#');
  t.after(() => eyes.close());
  const side = connectMqttSide({ url: broker.url }, (text) => assert.fail(text));
  const texts = () => eyes.seen.map(({ text }) => text).join();
  side.publish({ topic: 'a', payload: '1' });
  await until('the first', () => texts() === '1');
  side.setAway(true);
  for (const payload of ['2', '3', '4']) side.publish({ topic: 'a', payload });
  assert.equal(texts(), '1');
  side.setAway(false);
  side.publish({ topic: 'a', payload: '5' });
  await until('the others', () => texts() === '1,2,3,4,5');
  await side.stop();
});

test('faults: unread tags, copies, broken and absurd messages, late readings', async (t) => {
  const faults = parseFaults('tag_unread,duplicate,bad_json,absurd,late,clock_wrong');
  const { truth, seen } = await run(t, { milkings: 10, faults });
  for (const { voice, tag_read, rfid } of truth.filter((milking) => milking.voice === 'modbus')) {
    const reads = seen.filter(({ topic, text }) => topic.includes('rfid_reader') && text.includes(rfid));
    assert.equal(reads.length > 0, tag_read, `${voice} ${rfid}`);
  }
  assert.ok(truth.some(({ tag_read }) => !tag_read));
  const record = truth.find(({ voice }) => voice === 'record')!;
  const copies = seen.filter(({ text }) => text.includes(`"${record.session_id}"`) && text.endsWith('}'));
  assert.equal(copies.length, 3);
  assert.ok(seen.some(({ text }) => !text.endsWith('}')));
  assert.ok(seen.some(({ text }) => text.includes('"yield_liters":100000')));
  for (const { device_uid, session_id, ended_at, clock_error_s } of truth.filter(
    ({ voice }) => voice === 'record',
  )) {
    assert.ok(clock_error_s !== 0, device_uid);
    const told = seen.find(({ text }) => text.includes(`"${session_id}"`) && text.endsWith('}'))!;
    const errorMs = Date.parse(String(parse(told.text)['timestamp'])) - Date.parse(ended_at);
    assert.equal(errorMs / 1000, clock_error_s, device_uid);
  }
  const session = truth.find(({ voice }) => voice === 'session')!;
  const types = seen
    .filter(({ text }) => text.includes(`"${session.session_id}"`) && text.endsWith('}'))
    .map(({ text }) => String(parse(text)['type']));
  assert.ok(types.lastIndexOf('reading') > types.indexOf('session_end'));
});
