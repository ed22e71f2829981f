// A command's value is held against the range that the profile of its device states.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueProblem } from '../../../connector/commands/known.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';

const profiles = loadProfiles('config/profiles', loadMetrics('config/metrics.yaml'));
const dispenser = profiles.get('feed-dispenser-modbus');

test('a portion within the range of the dispenser, and others', () => {
  for (const value of [0.1, 2.5, 5]) assert.equal(valueProblem(dispenser, 'give_feed', value), undefined);
  for (const value of [300, 0, -1, Number.NaN, '2', true, undefined])
    assert.match(
      valueProblem(dispenser, 'give_feed', value) ?? '',
      /^give_feed takes a number within 0\.1 to 5/,
      String(value),
    );
});

test('what the profile does not know is for the gateway to say', () => {
  assert.equal(valueProblem(dispenser, 'self_test', 300), undefined);
  assert.equal(valueProblem(undefined, 'give_feed', 300), undefined);
});
