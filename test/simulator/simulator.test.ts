// What the farm says over MQTT agrees with its truth; faults do what their names say.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { envelopeSchema } from '../../contract/envelope.ts';
import { parseFaults } from '../../scripts/simulator/faults.ts';
import { startSimulator, type SimulatorOptions } from '../../scripts/simulator/simulator.ts';
import { startOwnBroker, until, watch } from '../gateways/support/broker.ts';

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
  const last = eyes.seen.length;
  await until('quiet', () => eyes.seen.length >= last);
  return { truth: simulator.truth, seen: eyes.seen };
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

test('the same seed milks the same milk', async (t) => {
  const facts = async (seed: number) =>
    (await run(t, { milkings: 8, seed })).truth
      .map(({ device_uid, session_id, rfid, yield_kg, fat }) => ({
        device_uid,
        session_id,
        rfid,
        yield_kg,
        fat,
      }))
      .toSorted((a, b) => `${a.device_uid}${a.session_id}`.localeCompare(`${b.device_uid}${b.session_id}`));
  const first = await facts(5);
  assert.deepEqual(await facts(5), first);
  assert.notDeepEqual(await facts(6), first);
});

test('faults: unread tags, copies, broken and absurd messages, late readings', async (t) => {
  const faults = parseFaults('tag_unread,duplicate,bad_json,absurd,late');
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
  const session = truth.find(({ voice }) => voice === 'session')!;
  const types = seen
    .filter(({ text }) => text.includes(`"${session.session_id}"`) && text.endsWith('}'))
    .map(({ text }) => String(parse(text)['type']));
  assert.ok(types.lastIndexOf('reading') > types.indexOf('session_end'));
});

test('a mistyped fault is answered with the right one', () => {
  assert.throws(() => parseFaults('slow,garbge'), /no fault 'garbge'; did you mean 'garbage'/);
});
