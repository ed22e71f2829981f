// Lines of readers to tags: every format that manuals show, ISO 11784's limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDebounce, decide } from '../../../gateways/rfid/debounce.ts';
import { createLineCutter, parseLine, type LineOptions } from '../../../gateways/rfid/line.ts';

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

test('999 is for tests', () => {
  const allowing = { ...options, allowTest: true };
  assert.deepEqual(parseLine('8000F9C2DFDC1C35', allowing), tag('999012345678901'));
  assert.deepEqual(parseLine('999 012345678901', options), {
    kind: 'other',
    reason: '999 is for tests; set allow_test to take it',
  });
});

test("bits of a tag backwards are this tag or none, never another animal's", () => {
  assert.deepEqual(parseLine('C95D0800008F0001', options), tag('964000001096339'));
  // Reads either way: the reader's settings decide.
  const either = '8000F58000410001';
  assert.equal(parseLine(either, { ...options, bitOrder: 'msb' }).kind, 'tag');
  assert.match(JSON.stringify(parseLine(either, options)), /in reversed bit order/);
});

test('ISO 24631-6: flags, then the code', () => {
  assert.deepEqual(parseLine('A0000000964000000123456', options), tag('964000000123456'));
  assert.deepEqual(parseLine('A 0 00 000 0 964 000000123456', options), tag('964000000123456'));
});

test('what has only the shape of a tag is none', () => {
  for (const line of ['982 999999999999', '000 000000000001', '001000000000001', '899 000000000001'])
    assert.equal(parseLine(line, options).kind, 'other', line);
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
