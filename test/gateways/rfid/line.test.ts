// Lines of readers to tags: every format that manuals show, ISO 11784's limits.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDebounce, decide } from '../../../gateways/rfid/debounce.ts';
import { createLineCutter, parseLine, type LineOptions } from '../../../gateways/rfid/line.ts';
import { fromHex, toTag } from '../../../gateways/rfid/tag.ts';

const options: LineOptions = { allowTest: false, antenna: undefined };
const tag = (text: string) => ({ kind: 'tag', tag: text, antenna: undefined });

test('formats', () => {
  for (const [line, expected] of [
    ['LA 982 000001088420', tag('982000001088420')],
    ['LA 00000 0 982 000001088420', tag('982000001088420')],
    ['982000001088420', tag('982000001088420')],
    ['982 000001088420', tag('982000001088420')],
    ['\u0002982 000001088420', tag('982000001088420')],
    ['  050 000000000017 ', tag('050000000000017')],
    ['8000F58000109BA4', tag('982000001088420')],
    ['LR 0006 0000000018514348', { kind: 'other', reason: 'an industrial tag, not an animal' }],
    ['NO READ', { kind: 'unread', antenna: undefined }],
    ['000000000000000', { kind: 'unread', antenna: undefined }],
    ['hello', { kind: 'other', reason: "'hello' is no tag" }],
    ['98200000108842', { kind: 'other', reason: "'98200000108842' is no tag" }],
  ] as const) {
    assert.deepEqual(parseLine(line, options), expected, line);
  }
});

test('the vector of DOMAIN.md, in both directions', () => {
  assert.deepEqual(fromHex('8000F9C2DFDC1C35', true), { tag: '999012345678901' });
  assert.deepEqual(toTag(999, 12_345_678_901, true), { tag: '999012345678901' });
  assert.deepEqual(fromHex('8000F9C2DFDC1C35', false), {
    reason: '999 is for tests; set allow_test to take it',
  });
});

describe('ISO 11784', () => {
  test('limits', () => {
    assert.deepEqual(toTag(50, 17, false), { tag: '050000000000017' });
    assert.ok('tag' in toTag(998, 274_877_906_943, false));
    assert.ok('reason' in toTag(998, 274_877_906_944, false));
    assert.ok('reason' in toTag(0, 1, false));
    assert.equal(parseLine('982 999999999999', options).kind, 'other');
    assert.equal(parseLine('000 000000000001', options).kind, 'other');
  });
});

test('antennas', () => {
  const antenna = /^(?:(\d+);)/;
  assert.deepEqual(parseLine('3;LA 982 000001088420', { allowTest: false, antenna }), {
    kind: 'tag',
    tag: '982000001088420',
    antenna: '3',
  });
  assert.deepEqual(parseLine('3;NOREAD', { allowTest: false, antenna }), { kind: 'unread', antenna: '3' });
});

test('lines are whole however they arrive, and endless ones are thrown away', () => {
  const seen: string[] = [];
  const cut = createLineCutter((line) => seen.push(line));
  for (const part of [
    '982 0000',
    '01088420\r',
    '\n\u0002982',
    ' 000001088421\u0003',
    'x'.repeat(300),
    '\r\n1\r\n',
  ])
    cut(part);
  assert.deepEqual(seen, ['982 000001088420', '\u0002982 000001088421', '1']);
});

test('a neighbour in the field does not get the milking', () => {
  assert.deepEqual(decide(new Map([['a', 1]])), [{ tag: 'a', here: true }]);
  assert.deepEqual(
    decide(
      new Map([
        ['a', 9],
        ['b', 2],
      ]),
    ),
    [
      { tag: 'a', here: true },
      { tag: 'b', here: false },
    ],
  );
  assert.deepEqual(
    decide(
      new Map([
        ['a', 2],
        ['b', 2],
      ]),
    ).map(({ here }) => here),
    [false, false],
  );
});

test('a cow is told once a visit', () => {
  const debounce = createDebounce(30_000, 100_000);
  const told = [0, 10, 29_000, 58_000, 87_000, 99_000, 100_000, 129_000, 160_000].filter((at) =>
    debounce.isNews('a', at),
  );
  assert.deepEqual(told, [0, 100_000, 160_000]);
  assert.ok(debounce.isNews('b', 160_000));
  assert.ok(debounce.isNews('a', 5), 'the clock was set back');
});
