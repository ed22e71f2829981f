// ISO 11784: what is an animal's code and what only looks like one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexTag, rfidSchema, tagProblem, toTag } from '../../contract/animal-tag.ts';
import { createRandom } from '../../scripts/dev/simulator/random.ts';

const hexOf = (country: number, national: number) =>
  ((1n << 63n) | (BigInt(country) << 38n) | BigInt(national)).toString(16).toUpperCase();
const reversed = (hex: string) =>
  BigInt(
    `0b${Array.from(BigInt(`0x${hex}`).toString(2).padStart(64, '0'))
      .reverse()
      .join('')}`,
  )
    .toString(16)
    .padStart(16, '0');

test('countries, manufacturers and tests, up to 38 bits', () => {
  for (const tag of [
    '050000000000007',
    '982000001088420',
    '900274877906943',
    '998000000000000',
    '999012345678901',
  ])
    assert.equal(tagProblem(tag), undefined, tag);
  for (const tag of [
    '000000000000001',
    '001000000000001',
    '051274877906944',
    '899000000000001',
    '05000000000007',
  ])
    assert.notEqual(tagProblem(tag), undefined, tag);
  assert.match(rfidSchema.safeParse('003000000000001').error?.issues[0]?.message ?? '', /no country/);
});

test('spaces are no matter, but nothing makes a tag of what is none', () => {
  assert.equal(toTag('050 000000000017'), '050000000000017');
  for (const text of [
    '50000000000007.0',
    '5.0000000000007E13',
    '50000000000007',
    '050-000000000007',
    '0500000000000070',
  ])
    assert.equal(toTag(text), undefined, text);
});

test('the bits of ISO 11784', () => {
  assert.deepEqual(hexTag('8000F9C2DFDC1C35'), { tag: '999012345678901' });
  assert.deepEqual(hexTag('8000F58000109BA4'), { tag: '982000001088420' });
  assert.deepEqual(hexTag('0000F58000109BA4', 'msb'), { reason: 'an industrial tag, not an animal' });
  assert.deepEqual(hexTag('8040F58000109BA4', 'msb'), { reason: 'has bits set that ISO 11784 reserves' });
  // Retagging counter and user information say nothing of the animal.
  assert.deepEqual(hexTag('9F80F58000109BA4'), { tag: '982000001088420' });
});

test('of 1,000 tags in reversed bit order none is read as another animal, and few are refused', () => {
  const random = createRandom(11);
  let refused = 0;
  for (let index = 0; index < 1_000; index++) {
    const country = [50, 356, 528, 840, 900, 982][Math.floor(random() * 6)] ?? 50;
    const national = Math.floor(random() * (index % 2 === 0 ? 274_877_906_944 : 10_000_000));
    const tag = String(country).padStart(3, '0') + String(national).padStart(12, '0');
    const hex = hexOf(country, national);
    for (const text of [hex, reversed(hex)]) {
      const read = hexTag(text);
      if ('tag' in read) assert.equal(read.tag, tag);
      else refused++;
    }
    assert.deepEqual(hexTag(reversed(hex), 'lsb'), { tag });
  }
  assert.ok(refused < 20, `${refused} refused`);
});
