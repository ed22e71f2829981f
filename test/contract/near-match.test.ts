// "Did you mean": close words are found, far ones are not offered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearMatch } from '../../contract/near-match.ts';

const known = ['milk_yield', 'milk_flow', 'milk_flow_average', 'temperature', 'ph', 'rssi'];

test('one slip finds the word that was meant', () => {
  for (const [word, meant] of [
    ['milk_yeild', 'milk_yield'],
    ['milkyield', 'milk_yield'],
    ['Temperature', 'temperature'],
    ['temprature', 'temperature'],
    ['milk_flow_avrage', 'milk_flow_average'],
    ['rsi', 'rssi'],
    ['p', 'ph'],
  ] as const) {
    assert.equal(nearMatch(word, known), meant);
  }
});

test('a word that is like none gets no suggestion', () => {
  for (const word of ['', 'humidity', 'somatic_cells', 'x'.repeat(200)])
    assert.equal(nearMatch(word, known), undefined);
  assert.equal(nearMatch('anything', []), undefined);
});

test('a known word is its own near match; any suggestion is one of the candidates', () => {
  const words = fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.string({ maxLength: 20 }), fc.nat(), (candidates, word, index) => {
      const exact = candidates[index % candidates.length] ?? '';
      assert.equal(nearMatch(exact, candidates), exact);
      const near = nearMatch(word, candidates);
      assert.ok(near === undefined || candidates.includes(near));
    }),
  );
});

test('one letter more, less or other is always forgiven', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{3,12}$/), fc.nat(), fc.nat(2), (word, at, kind) => {
      const index = at % word.length;
      const slip =
        word.slice(0, index) + (['', '-', `-${word[index] ?? ''}`][kind] ?? '') + word.slice(index + 1);
      assert.equal(nearMatch(slip, [word]), word);
    }),
  );
});
