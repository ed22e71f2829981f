// Units that are mistyped, and units that config/metrics.yaml adds.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AppError } from '../../contract/errors.ts';
import { loadMetrics, loadProfile } from '../../contract/runtime/profiles.ts';
import { canonicalUnit, unknownUnit } from '../../contract/units.ts';
import { decodeRows } from '../../connector/decode/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'units-'));
after(() => rmSync(folder, { recursive: true }));
const written = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const complaintOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof AppError && error.kind === 'invalid');
    return error.message.replaceAll(`${folder}/`, '');
  }
  return 'nothing';
};

test('what people write for a unit leads to its code, and the code is explained', () => {
  for (const [word, code] of [
    ['°C', 'Cel'],
    ['C', 'Cel'],
    ['celsius', 'Cel'],
    ['°F', '[degF]'],
    ['l', 'L'],
    ['litres', 'L'],
    ['kWh', 'kW.h'],
    ['ppm', '[ppm]'],
    ['pH', '[pH]'],
    ['KG', 'kg'],
    ['µS/cm', 'uS/cm'],
    ['mS/cn', 'mS/cm'],
    ['percent', '%'],
  ] as const)
    assert.ok(
      unknownUnit(word).startsWith(
        `unknown unit '${word}'; did you mean '${code}'? Units are written as UCUM`,
      ),
      unknownUnit(word),
    );
  assert.match(unknownUnit('furlong'), /^unknown unit 'furlong' Units are written as UCUM/);
});

const metrics = written(
  'metrics.yaml',
  `units:
  '[lb_av]': { to: kg, factor: 0.45359237, description: Pound }
  '[degRe]': { to: Cel, factor: 1.25, description: Réaumur }
  '[gal_us]': { to: L, factor: 3.785411784, description: US gallon }
  mol/L: { description: Concentration }
metrics:
  milk_yield: { unit: kg, min: 0, max: 100, description: Milk }
  temperature: { unit: Cel, description: Temperature }
  urea: { unit: mol/L, description: Urea }
`,
);

test('a unit of config/metrics.yaml converts as its factor says, in profiles and over REST', () => {
  const catalogue = loadMetrics(metrics);
  const profile = loadProfile(
    written(
      'p.yaml',
      `profile: p
device_type: milk_meter
manufacturer: M
model: P
description: x
payload:
  match: [/lb]
  at: { pointer: /t }
  points:
    - { pointer: /lb, metric: milk_yield, unit: '[lb_av]' }
    - { pointer: /re, metric: temperature, unit: '[degRe]', scale: 0.1, offset: -4 }
    - { pointer: /gal, metric: milk_yield, unit: '[gal_us]' }
    - { pointer: /mol, metric: urea, unit: mol/L }
samples:
  - { name: a, payload: {}, expect: {} }
`,
    ),
    catalogue,
  );
  const points = profile.payload?.points ?? [];
  assert.deepEqual(
    points.map(({ unit, scale, offset }) => [unit, Number(scale.toPrecision(9)), offset]),
    [
      ['kg', 0.45359237, 0],
      ['Cel', 0.125, -5],
      ['L', 3.78541178, 0],
      ['mol/L', 1, 0],
    ],
  );
  assert.equal(canonicalUnit('[gal_us]', catalogue.units), 'kg');

  const row = { farm: 'f', device_uid: 'm', device_type: 'milk_meter', timestamp: '2026-11-01T00:00:00Z' };
  const context = {
    catalogue,
    kgPerLitre: 1.03,
    maxFutureMs: 1e12,
    maxPastMs: 1e12,
    zoneOf: () => undefined,
    deviceTypeOf: () => 'milk_meter',
  } as unknown as Parameters<typeof decodeRows>[2];
  const now = Date.parse('2026-11-01T00:00:01Z');
  const { devices, rejected } = decodeRows(
    [
      { ...row, metric_name: 'milk_yield', metric_value: 10, metric_unit: '[lb_av]' },
      { ...row, metric_name: 'milk_yield', metric_value: 10, metric_unit: 'lb' },
      { ...row, metric_name: 'milk_yield', metric_value: 10, metric_unit: 'Cel' },
    ],
    now,
    context,
  );
  assert.equal(devices[0]?.points[0]?.value.toFixed(9), '4.535923700');
  assert.match(rejected.get(1) ?? '', /^metric_unit: unknown unit 'lb'.*UCUM/);
  assert.match(rejected.get(2) ?? '', /does not convert to milk_yield's unit 'kg'; these do: .*\[lb_av\]/);
});

test('a unit of its own that makes no sense is told with its place', () => {
  for (const [units, expected] of [
    ['kg: { to: Cel, description: x }', /m\.yaml:2:3: units\.kg: unit 'kg' is built in/],
    ['lb: { to: kilo, factor: 2, description: x }', /m\.yaml:2:9: units\.lb\.to: unknown unit 'kilo'/],
    ['lb: { factor: 2, description: x }', /units\.lb: factor and offset need to:/],
    ['lb: { to: kg, faktor: 2, description: x }', /did you mean 'factor'/],
  ] as const)
    assert.match(
      complaintOf(() => loadMetrics(written('m.yaml', `units:\n  ${units}\nmetrics: {}\n`))),
      expected,
    );
  const stored = 'metrics:\n  milk: { unit: L, description: x }\n';
  assert.match(
    complaintOf(() => loadMetrics(written('m.yaml', stored))),
    /m\.yaml:2:11: metrics\.milk\.unit: values are stored in 'kg', not in 'L'/,
  );
});
