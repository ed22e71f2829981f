// Every profile in config/profiles, whatever its protocol, against its own samples.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { envelopeSchema } from '../../contract/envelope.ts';
import { loadMetrics, loadProfiles } from '../../contract/runtime/profiles.ts';
import { unknownFields } from '../../gateways/lorawan/model.ts';
import { planReads } from '../../gateways/modbus/plan.ts';
import { checkSamples } from '../../scripts/ops/profile/check.ts';
import { readSample } from '../../scripts/ops/profile/sample.ts';

const catalogue = loadMetrics('config/metrics.yaml');
const profiles = loadProfiles('config/profiles', catalogue);
const context = { catalogue, profiles };

for (const profile of profiles.values()) {
  describe(profile.profile, () => {
    const { payload, modbus, lorawan, samples } = profile;
    test('has samples of all that it describes', () => {
      assert.equal(
        payload !== undefined,
        samples.some((sample) => sample.payload !== undefined),
      );
      assert.equal(
        modbus !== undefined,
        samples.some(({ registers }) => registers !== undefined),
      );
      assert.equal(
        lorawan !== undefined,
        samples.some(({ hex }) => hex !== undefined),
      );
      for (const { name, expect } of samples) assert.ok(expect.points !== undefined, name);
    });
    test('can be read', () => {
      if (modbus !== undefined) assert.ok(planReads(modbus).length > 0);
      assert.deepEqual(unknownFields(profile), []);
    });
    for (const sample of samples) {
      test(sample.name, () => {
        assert.deepEqual(checkSamples({ ...profile, samples: [sample] }, context), []);
        const found = readSample(profile, sample, context);
        assert.ok(typeof found === 'object');
        envelopeSchema.parse({ v: 1, ...found });
        const keys = found.points.map(({ m, t }) => `${m} ${t ?? ''}`);
        assert.equal(new Set(keys).size, keys.length, 'a metric comes once a moment');
      });
    }
  });
}

test('a file is named as its profile', () => {
  const names = readdirSync('config/profiles').filter((name) => name.endsWith('.yaml'));
  assert.deepEqual(names.toSorted(), [...profiles.keys()].map((name) => `${name}.yaml`).toSorted());
});

test('a sample that reads differently is told', () => {
  const profile = profiles.get('smart-dairy-collar') ?? assert.fail();
  const [sample] = profile.samples;
  assert.ok(sample?.expect.points !== undefined);
  const wrong = { ...sample, expect: { ...sample.expect, points: sample.expect.points.slice(1) } };
  const told = checkSamples({ ...profile, samples: [wrong] }, context);
  assert.match(told.join(), /^sample 'report': points is \["activity {2}42 0",.*expected \[/);
  const refused = { ...sample, hex: '2040' };
  assert.match(
    checkSamples({ ...profile, samples: [refused] }, context).join(),
    /^sample 'report': fPort 10: layout version 2/,
  );
});
