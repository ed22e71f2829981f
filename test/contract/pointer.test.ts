// JSON pointers, and the loose reading of numbers and words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { atPointer, toNumber, toWord } from '../../contract/pointer.ts';

test('pointers follow RFC 6901 and never leave the payload', () => {
  const payload = { a: { b: [10, { c: 'deep' }] }, 'x/y': 1, 'm~n': 2, nothing: null };
  for (const [pointer, value] of [
    ['/a/b/0', 10],
    ['/a/b/1/c', 'deep'],
    ['/x~1y', 1],
    ['/m~0n', 2],
    ['/nothing', null],
    ['/nothing/more', undefined],
    ['/a/c', undefined],
    ['/a/b/7', undefined],
    ['/constructor', undefined],
    ['/a/__proto__', undefined],
    ['/a/toString', undefined],
  ] as const) {
    assert.equal(atPointer(payload, pointer), value, pointer);
  }
  for (const wrong of [null, 5, 'text', undefined]) assert.equal(atPointer(wrong, '/a'), undefined);
});

test('numbers, also as text', () => {
  for (const [value, number] of [
    [7.5, 7.5],
    ['7.5', 7.5],
    [' -3 ', -3],
    ['+1.5e3', 1500],
    ['0', 0],
  ] as const) {
    assert.equal(toNumber(value), number);
  }
  const wrong = [
    '',
    ' ',
    'x',
    '7,5',
    '7.5 kg',
    '0x10',
    'NaN',
    'Infinity',
    '1e999',
    NaN,
    Infinity,
    true,
    null,
    [1],
    {},
  ];
  for (const value of wrong) assert.equal(toNumber(value), undefined, inspect(value));
});

test('any finite number survives being sent as text', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(toNumber(value), value);
      assert.equal(toNumber(JSON.stringify(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('words are short, printable and storable', () => {
  for (const [value, word] of [
    ['A-17', 'A-17'],
    [' A 17 ', 'A 17'],
    [17, '17'],
    ['গাভী', 'গাভী'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ] as const) {
    assert.equal(toWord(value), word);
  }
  for (const value of [
    '',
    '  ',
    'x'.repeat(129),
    'a\nb',
    'a\u0000',
    '\ud800',
    NaN,
    null,
    true,
    ['A'],
    { id: 'A' },
  ])
    assert.equal(toWord(value), undefined, JSON.stringify(value));
});
