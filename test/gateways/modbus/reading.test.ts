// What a poll of a milk meter says: totals at the end, and what the analyser adds when the milking is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { memorySchema, type DeviceMemory } from '../../../gateways/modbus/memory.ts';
import { toReading } from '../../../gateways/modbus/reading.ts';

const profiles = loadProfiles('config/profiles', loadMetrics('config/metrics.yaml'));
const map = profiles.get('generic-milk-meter-modbus')?.modbus;

test('what the analyser says after the end is told once, as part of the milking it belongs to', () => {
  assert.ok(map);
  let memory: DeviceMemory = { counters: {} };
  let at = Date.UTC(2026, 10, 20, 5);
  const poll = (values: [string, number][]) => {
    at += 1000;
    const context = { at, previous: memory, kgPerLitre: 1.03, isSession: true };
    const reading = toReading({ map, stall: '1', calibration: {} }, new Map(values), context);
    // Through the spool's memory, as over a restart.
    memory = memorySchema.parse(JSON.parse(JSON.stringify(reading.memory)));
    const { session, points } = reading.envelope;
    return [session?.event, session?.id, points.map(({ m }) => m)];
  };
  const meter = (active: number, more: [string, number][] = []): [string, number][] => [
    ['session_counter', 7],
    ['active', active],
    ['yield', 10],
    ...more,
  ];
  poll([
    ['session_counter', 6],
    ['active', 0],
  ]);
  assert.deepEqual(poll(meter(1)), ['start', '7', ['milk_yield']]);
  assert.deepEqual(poll(meter(0)), ['end', '7', ['milk_yield']]);
  assert.deepEqual(poll(meter(0)), [undefined, undefined, []]);
  assert.deepEqual(poll(meter(0, [['fat', 3.9]])), ['reading', '7', ['milk_fat']]);
  assert.deepEqual(
    poll(
      meter(0, [
        ['fat', 3.9],
        ['scc', 120],
      ]),
    ),
    ['reading', '7', ['milk_scc']],
  );
  assert.deepEqual(
    poll(
      meter(0, [
        ['fat', 3.9],
        ['scc', 120],
      ]),
    ),
    [undefined, undefined, []],
  );
  // A meter that lost power has another number: nothing of the old milking is told under it.
  assert.deepEqual(
    poll([
      ['session_counter', 0],
      ['active', 0],
      ['yield', 0],
      ['protein', 3],
    ]),
    [undefined, undefined, []],
  );
});
