// What is wrong with a profile beyond its shape, and folders of profiles with their positions.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AppError } from '../../contract/errors.ts';
import { profileProblems, profileSchema, type Profile } from '../../contract/profile.ts';
import { loadMetrics, loadProfiles } from '../../contract/runtime/profiles.ts';

const catalogue = loadMetrics('config/metrics.yaml');
const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
after(() => rmSync(folder, { recursive: true }));

const base = {
  profile: 'p',
  device_type: 'milk_meter',
  manufacturer: 'M',
  model: 'X',
  description: 'd',
  samples: [{ name: 's', payload: {}, expect: {} }],
};
const payload = (point: Record<string, unknown>) => ({
  match: ['/x'],
  at: { pointer: '/t' },
  points: [{ pointer: '/x', metric: 'milk_yield', unit: 'kg', ...point }],
});
const modbus = (register: Record<string, unknown>, session?: Record<string, string>) => ({
  registers: [{ name: 'counter', address: 0, ...register }],
  ...(session === undefined ? {} : { session }),
});
const profile = (parts: Record<string, unknown>): Profile => profileSchema.parse({ ...base, ...parts });

test('each mistake is found where it is', () => {
  const point = ['payload', 'points', 0];
  const register = ['modbus', 'registers', 0];
  for (const [parts, path, message] of [
    [{}, [], 'a profile needs a payload, a modbus or a lorawan section'],
    [
      { payload: payload({ metric: 'milk_yeild' }) },
      [...point, 'metric'],
      "metric 'milk_yeild' is not in config/metrics.yaml; did you mean 'milk_yield'?",
    ],
    [
      { payload: payload({ unit: '[degF]' }) },
      [...point, 'unit'],
      "unit '[degF]' does not convert to milk_yield's unit 'kg'; these do: kg, L, mL, g",
    ],
    [
      { modbus: modbus({ metric: 'constructor', unit: 'kg' }) },
      [...register, 'metric'],
      "metric 'constructor' is not in config/metrics.yaml",
    ],
    [
      { modbus: modbus({ metric: 'milk_flow', unit: 'L' }) },
      [...register, 'unit'],
      "unit 'L' does not convert to milk_flow's unit 'kg/min'; these do: kg/min, L/min, g/min",
    ],
    [{ modbus: modbus({ metric: 'milk_yield' }) }, register, "register 'counter' states no unit"],
    [
      { lorawan: { object: [{ pointer: '/x', metric: 'pressure', unit: 'V' }] } },
      ['lorawan', 'object', 0, 'unit'],
      "unit 'V' does not convert to pressure's unit 'kPa'; these do: kPa, bar, hPa",
    ],
    [{ lorawan: { codec: 'elsys-ers' } }, ['lorawan'], 'needs codec and points, or object'],
    [{ payload: payload({ min: 5, max: 1 }) }, [...point, 'min'], '5 is not below max, 1'],
    [{ modbus: modbus({ min: 5, max: 1 }) }, [...register, 'min'], '5 is not below max, 1'],
    [
      { modbus: { ...modbus({}), illegal: [{ from: 9, to: 3 }] } },
      ['modbus', 'illegal', 0, 'from'],
      '9 is behind to, 3',
    ],
    [
      { modbus: { ...modbus({}), commands: [{ name: 'open', register: 'counter', min: 2, max: 1 }] } },
      ['modbus', 'commands', 0, 'min'],
      '2 is not below max, 1',
    ],
    [
      { payload: payload({}), samples: [...base.samples, ...base.samples] },
      ['samples', 1, 'name'],
      "sample 's' exists twice",
    ],
    [
      { payload: payload({}), samples: [{ name: 's', expect: {} }] },
      ['samples', 0],
      'a sample has one of payload, registers, object, and f_port with hex',
    ],
    [
      {
        payload: payload({}),
        samples: [{ name: 's', payload: {}, registers: { holding: { '0': 1 } }, expect: {} }],
      },
      ['samples', 0],
      'a sample has one of payload, registers, object, and f_port with hex',
    ],
    [{ modbus: modbus({ type: 'string' }) }, register, 'a string register needs a length'],
    [
      { modbus: modbus({ type: 'bool' }) },
      [...register, 'type'],
      'coils and discrete inputs are bool, registers are not',
    ],
    [
      { modbus: modbus({ table: 'coil' }) },
      [...register, 'type'],
      'coils and discrete inputs are bool, registers are not',
    ],
    [
      { modbus: modbus({}, { counter: 'counter', active: 'flowing' }) },
      ['modbus', 'session', 'active'],
      "there is no register named 'flowing'",
    ],
  ] as const) {
    assert.deepEqual(profileProblems(profile(parts), catalogue), [{ path: [...path], message }]);
  }
});

test('sound profiles have no problems', () => {
  for (const parts of [
    { payload: payload({}) },
    { payload: payload({ unit: 'L' }) },
    { modbus: modbus({ table: 'discrete', type: 'bool' }, { counter: 'counter', active: 'counter' }) },
    { modbus: modbus({ type: 'string', length: 4 }) },
    { modbus: modbus({ metric: 'milk_yield', unit: 'kg' }) },
  ]) {
    assert.deepEqual(profileProblems(profile(parts), catalogue), []);
  }
});

const yaml = (metric: string, extra = '') => `profile: p
device_type: milk_meter
manufacturer: M
model: X
description: d
payload:
  match: [/x]
  at: { pointer: /t }
  points:
    - { pointer: /x, metric: ${metric}, unit: kg }
    - { pointer: /y, metric: milk_flow, unit: kg }
samples: [{ name: s, payload: {}, expect: {} }]
${extra}`;

function complaint(files: Record<string, string>): string {
  const own = mkdtempSync(join(folder, 'case-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text);
  try {
    loadProfiles(own, catalogue);
  } catch (error) {
    assert.ok(error instanceof AppError && error.kind === 'invalid');
    return error.message.replaceAll(`${own}/`, '');
  }
  return 'nothing';
}

test('every problem of a file is told with its place', () => {
  assert.equal(
    complaint({ 'a.yaml': yaml('milk_yeild') }),
    "a.yaml:10:22: payload.points[0].metric: metric 'milk_yeild' is not in config/metrics.yaml; did you mean 'milk_yield'?\n" +
      "a.yaml:11:41: payload.points[1].unit: unit 'kg' does not convert to milk_flow's unit 'kg/min'; these do: kg/min, L/min, g/min",
  );
});

test('a match without its slash, an unknown unit, a misspelt section', () => {
  const text = yaml('milk_yield');
  assert.match(
    complaint({ 'a.yaml': text.replace('[/x]', '[x]') }),
    /^a\.yaml:7:11: payload\.match\[0\]: a JSON pointer such as '\/quality\/fat_percentage'$/,
  );
  assert.match(
    complaint({ 'a.yaml': text.replace('unit: kg', 'unit: kgs') }),
    /^a\.yaml:10:42: payload\.points\[0\]\.unit: unknown unit 'kgs'; did you mean 'kg'\? .*UCUM.*config\/metrics\.yaml$/m,
  );
  assert.equal(
    complaint({ 'a.yaml': yaml('milk_yield').replace('payload:\n', 'payloads:\n') }),
    "a.yaml:6:1: payloads: unknown key; did you mean 'payload'?",
  );
});

test('two files of one name', () => {
  const text = yaml('milk_yield').replace('metric: milk_flow', 'metric: milk_yield');
  assert.equal(complaint({ 'a.yaml': text, 'notes.txt': 'not a profile' }), 'nothing');
  assert.equal(complaint({ 'a.yaml': text, 'b.yaml': text }), "b.yaml: profile 'p' exists twice");
});
