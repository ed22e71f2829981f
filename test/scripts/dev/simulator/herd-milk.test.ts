// What the demo's cows usually give is written down a second time, for Odoo's month of milkings: it is the same herd.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCow } from '../../../../scripts/dev/simulator/cow.ts';
import { collarEui } from '../../../../scripts/dev/simulator/surroundings.ts';

test('the demo herd in Odoo gives what the simulator milks', () => {
  const [, ...lines] = readFileSync('odoo-addon-bridge/smart_dairy_iot/demo/herd_milk.csv', 'utf8')
    .trim()
    .split('\n');
  const expected = Array.from({ length: 24 }, (_, i) => {
    const { rfid, yieldKg, peakKgMin, fat, protein, lactose, sccPerMl, conductivity } = createCow(1, i + 1);
    const numbers = [yieldKg, peakKgMin, fat, protein, lactose].map((value) => value.toFixed(2));
    return [rfid, ...numbers, Math.round(sccPerMl), conductivity.toFixed(2)].join(',');
  });
  assert.deepEqual(lines, expected);
  assert.equal(collarEui(17), '5da1c011a4000011', 'as iot_demo_history.py makes it');
});
