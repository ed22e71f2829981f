// What Odoo lets people enter as limits is what the connector holds against limits, in the units of its catalogue.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadMetrics } from '../../contract/runtime/profiles.ts';
import { limitedMetrics } from '../../connector/rules/milking.ts';

test('limits of Odoo are the ones that have an effect', () => {
  const python = readFileSync('odoo-addon-bridge/smart_dairy_iot/models/iot_threshold.py', 'utf8');
  const table = /^LIMITED = \{([^}]*)\}/m.exec(python)?.[1] ?? '';
  const units = new Map(
    [...table.matchAll(/'(\w+)': '([^']+)'/g)].map(([, metric = '', unit = '']) => [metric, unit]),
  );
  assert.deepEqual([...units.keys()].sort(), [...limitedMetrics].sort());
  const catalogue = loadMetrics('config/metrics.yaml');
  for (const [metric, unit] of units)
    assert.equal(unit, metric === 'milk_yield_deviation' ? '%' : catalogue.get(metric)?.unit, metric);
});
