// Every shipped profile decodes its own golden samples to what they expect.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeMessage } from '../../../connector/decode/message.ts';
import { parseMoment } from '../../../connector/decode/moment.ts';
import type { DecodedData } from '../../../connector/decode/decoded.ts';
import type { Profile } from '../../../contract/profile.ts';
import { bytes, decodeContext, now } from './context.ts';

const context = decodeContext();

function decodeSample(profile: Profile, payload: unknown): DecodedData {
  const topic = `dairy/farm1/${profile.device_type}/device-1/data`;
  const decoded = decodeMessage(topic, bytes(payload), now, context);
  assert.equal(decoded.kind, 'data', JSON.stringify(decoded));
  return decoded.data;
}

function assertExpected(data: DecodedData, expected: Profile['samples'][number]['expect']): void {
  if (expected.at !== undefined) assert.equal(data.at, parseMoment(expected.at));
  if (expected.session !== undefined) assert.deepEqual(data.session, expected.session);
  if (expected.stall !== undefined) assert.equal(data.stall, expected.stall);
  assert.deepEqual(
    { rfid: data.rfid, id: data.animalRef },
    { rfid: expected.animal?.rfid, id: expected.animal?.id },
  );
  if (expected.points === undefined) return;
  const found = new Map(data.points.map((point) => [point.metric, point]));
  assert.equal(found.size, data.points.length, 'a metric comes once');
  assert.deepEqual([...found.keys()].sort(), expected.points.map(({ m }) => m).sort());
  for (const { m, v, q = 0 } of expected.points) {
    const point = found.get(m);
    assert.ok(
      point !== undefined && Math.abs(point.value - v) <= 1e-9,
      `${m}: ${point?.value ?? ''}, not ${v}`,
    );
    assert.deepEqual([point.quality, point.time], [q, data.at]);
  }
}

for (const profile of context.profiles.values()) {
  if (profile.payload === undefined) continue;
  const samples = profile.samples.filter(({ payload }) => payload !== undefined);
  describe(`profile ${profile.profile}`, () => {
    test('has a sample', () => assert.notEqual(samples.length, 0));
    for (const { name, payload, expect } of samples) {
      test(name, () => {
        const data = decodeSample(profile, payload);
        assert.equal(data.profile, profile.profile, 'found by its match, without assignment');
        assertExpected(data, expect);
      });
    }
  });
}
