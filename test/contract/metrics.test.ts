// Units: every conversion against a value from outside the code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { metricCatalogueSchema } from '../../contract/metrics.ts';
import { canonicalUnit, sourceUnits, toCanonical, units } from '../../contract/units.ts';

const kgPerLitre = 1.03;
const known = [
  ['L', 10, 'kg', 10.3],
  ['mL', 500, 'kg', 0.515],
  ['g', 2_500, 'kg', 2.5],
  ['L/min', 2, 'kg/min', 2.06],
  ['g/min', 2_600, 'kg/min', 2.6],
  ['[degF]', 212, 'Cel', 100],
  ['[degF]', -40, 'Cel', -40],
  ['K', 277.15, 'Cel', 4],
  ['uS/cm', 6_500, 'mS/cm', 6.5],
  ['h', 1.5, 'min', 90],
  ['ms', 1_500, 's', 1.5],
  ['d', 1, 'min', 1_440],
  ['mV', 3_062, 'V', 3.062],
  ['mA', 12_500, 'A', 12.5],
  ['W', 4_096, 'kW', 4.096],
  ['W.h', 500, 'kW.h', 0.5],
  ['bar', 2, 'kPa', 200],
  ['hPa', 1_013, 'kPa', 101.3],
  ['k/mL', 145, '/mL', 145_000],
] as const;

test('every source unit becomes its canonical unit', () => {
  for (const [unit, value, canonical, expected] of known) {
    assert.equal(canonicalUnit(unit), canonical);
    const converted = toCanonical(value, unit, kgPerLitre);
    assert.ok(Math.abs(converted - expected) < 1e-9, `${value} ${unit} is ${expected}, not ${converted}`);
  }
});

test('no source unit is without a known value here', () => {
  assert.deepEqual(
    sourceUnits.filter((unit) => !known.some(([tested]) => tested === unit)),
    [...units],
  );
});

test('a canonical unit stays as it is; the density of milk is the administrator’s', () => {
  fc.assert(
    fc.property(fc.constantFrom(...units), fc.double(), fc.double(), (unit, value, density) => {
      assert.equal(canonicalUnit(unit), unit);
      assert.equal(toCanonical(value, unit, density), value);
    }),
  );
  assert.equal(toCanonical(10, 'L', 1), 10);
});

test('a catalogue takes UCUM units and snake_case names only', () => {
  const metric = { unit: 'kg', description: 'x' };
  assert.equal(metricCatalogueSchema.parse({ metrics: { milk: metric } }).metrics['milk']?.kind, 'gauge');
  for (const metrics of [
    { Milk: metric },
    { 'milk-yield': metric },
    { milk: { ...metric, unit: 'L' } },
    { milk: { ...metric, unit: 'kgs' } },
    { milk: { unit: 'kg' } },
    { milk: { ...metric, maximum: 1 } },
    { milk: { ...metric, max: '1' } },
  ]) {
    assert.equal(metricCatalogueSchema.safeParse({ metrics }).success, false, JSON.stringify(metrics));
  }
});
