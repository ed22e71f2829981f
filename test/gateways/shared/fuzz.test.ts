// Whatever a small sensor sends over HTTP or CoAP: a reason, an envelope that can be published, or its own JSON with a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeSchema } from '../../../contract/envelope.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { bearerToken } from '../../../gateways/shared/http.ts';
import { takeIn } from '../../../gateways/shared/intake.ts';
import { anyBytes, anyJson, below, fuzz, fuzzRuns, pick } from '../../support/fuzz.ts';
import { recordServices } from '../support/services.ts';

const profiles = loadProfiles('config/profiles', loadMetrics('config/metrics.yaml'));
const bodies = [...profiles.values()].flatMap(({ samples }) =>
  samples.flatMap(({ payload }) => payload ?? []),
);
const envelope = {
  v: 1,
  id: 'a',
  at: '2026-11-20T05:00:00Z',
  points: [{ m: 'temperature', v: 3.6, t: 1_795_150_000_000, q: 0 }],
  animal: { rfid: '050000000000017', id: 'A' },
  session: { id: 's', event: 'record' },
  stall: '3',
  battery: 90,
  rssi: -60,
};

test(`bodies: ${fuzzRuns}`, async () => {
  const device = {
    uid: 'cold-store',
    type: 'temperature',
    token: 'token-of-the-first-one',
    stall: '7',
  } as const;
  await fuzz(
    (random) => ({
      body: anyJson(random, [envelope, envelope, pick(random, bodies)]),
      uid: pick(random, [undefined, 'cold-store', 'another', '\u0000']),
    }),
    async ({ body, uid }) => {
      let value: unknown;
      try {
        value = JSON.parse(body.toString());
      } catch {
        return;
      }
      const { services, published, raw } = recordServices();
      const { status, error } = await takeIn(value, { device, uid, services });
      assert.equal(published.length + raw.length, status === 202 ? 1 : 0);
      if (status !== 202) return assert.notEqual(error ?? '', '');
      for (const { envelope: own } of published) envelopeSchema.parse(JSON.parse(JSON.stringify(own)));
      for (const { topic, payload } of raw) {
        assert.equal(topic, 'dairy/farm1/temperature/cold-store/data');
        assert.ok('timestamp' in (JSON.parse(payload) as object));
      }
    },
  );
});

test(`authorization headers: ${fuzzRuns}`, async () => {
  const headers = ['Bearer token-of-the-first-one', 'bearer x', 'Basic eDp5', ''].map((text) =>
    Buffer.from(text),
  );
  await fuzz(
    (random) =>
      below(random, 50) === 0
        ? `Bearer ${' '.repeat(8000)}x y`
        : anyBytes(random, headers, 80).toString('latin1'),
    (header) => {
      const token = bearerToken(header);
      assert.ok(!/\s/.test(token) && header.includes(token));
    },
  );
});
