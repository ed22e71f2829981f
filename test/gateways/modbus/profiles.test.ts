// Every Modbus profile in config/profiles against its own register samples.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ModbusMap, Profile } from '../../../contract/profile.ts';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { decodeBlocks } from '../../../gateways/modbus/decode.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';
import { toReading } from '../../../gateways/modbus/reading.ts';

const profiles = loadProfiles('config/profiles', loadMetrics('config/metrics.yaml'));
const at = Date.parse('2026-01-01T06:00:00Z');

/** The envelope of the first poll that finds these registers; what a sample does not name is 0. */
function envelopeOf(map: ModbusMap, registers: NonNullable<Profile['samples'][number]['registers']>) {
  const blocks = planReads(map).flatMap((plan) => plan.blocks);
  const data = blocks.map(({ table, start, length }) =>
    Array.from({ length }, (_, i) => registers[table]?.[String(start + i + map.address_base)] ?? 0),
  );
  const values = decodeBlocks(map, blocks, data);
  const context = { at, previous: { counters: {} }, kgPerLitre: 1.03, isSession: map.session !== undefined };
  return toReading({ map, stall: undefined, calibration: {} }, values, context).envelope;
}

for (const profile of profiles.values()) {
  const { modbus, samples } = profile;
  if (modbus === undefined) continue;
  describe(profile.profile, () => {
    test('has samples and can be planned', () => {
      assert.ok(samples.some(({ registers }) => registers !== undefined));
      assert.ok(planReads(modbus).length > 0);
    });
    for (const { name, registers, expect } of samples) {
      if (registers === undefined) continue;
      test(name, () => {
        const envelope = envelopeSchema.parse(envelopeOf(modbus, registers));
        const { points = [], ...rest } = expect;
        const byMetric = (list: typeof points) => list.toSorted((a, b) => a.m.localeCompare(b.m));
        assert.deepEqual(byMetric(envelope.points), byMetric(points));
        for (const [key, value] of Object.entries(rest)) {
          assert.deepEqual(envelope[key as keyof typeof envelope], value, key);
        }
        if (expect.animal === undefined) assert.equal(envelope.animal, undefined);
        if (expect.session === undefined) assert.equal(envelope.session, undefined);
      });
    }
  });
}
