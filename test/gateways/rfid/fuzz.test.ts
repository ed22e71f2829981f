// Any bytes of a reader's line, cut in any pieces: valid tags or reasons, whole lines only, never a hang.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexTag, rfidSchema, tagProblem } from '../../../contract/animal-tag.ts';
import { createLineCutter, parseLine, type Read } from '../../../gateways/rfid/line.ts';
import { anyBytes, below, fuzz, fuzzRuns, pick } from '../../support/fuzz.ts';

const lines = [
  'LA 982 000001088420',
  'LA 00000 0 982 000001088420',
  '\u0002LA 982 000001088420',
  'LR 0006 0000000018514348',
  '982000001088420',
  '\u0002982 000001088420',
  '8000F58000109BA4',
  '3;LA 050 000000000017',
  '12;NOREAD',
  'NO READ',
  '?????',
  '000000000000000',
].map((line) => Buffer.from(line, 'latin1'));
const optionSets = [
  { allowTest: false, antenna: undefined },
  { allowTest: true, antenna: undefined },
  { allowTest: true, antenna: /^(?:(\d+);)/ },
];

function assertRead(read: Read): void {
  if (read.kind === 'other') return assert.notEqual(read.reason, '');
  if (read.kind === 'tag') rfidSchema.parse(read.tag);
  if (read.antenna !== undefined) assert.match(read.antenna, /^\d+$/);
}

test(`lines: ${fuzzRuns}`, async () => {
  await fuzz(
    (random) => ({
      line: anyBytes(random, lines, 80).toString('latin1'),
      options: pick(random, optionSets),
    }),
    ({ line, options }) => assertRead(parseLine(line, options)),
  );
});

test(`streams cut in pieces: ${fuzzRuns}`, async () => {
  const ends = ['\r\n', '\r', '\n', '\u0003', '\r\n\r\n', ''];
  await fuzz(
    (random) => ({
      stream: Array.from({ length: 6 }, () =>
        anyBytes(random, lines, 300).toString('latin1').concat(pick(random, ends)),
      ).join(''),
      size: 1 + below(random, 40),
    }),
    ({ stream, size }) => {
      const cut = createLineCutter((line) => {
        assert.ok(line.length <= 256 && !/[\r\n\u0003]/.test(line) && line.trim() !== '');
        assert.ok(stream.includes(line), 'nothing is made up');
        assertRead(parseLine(line, { allowTest: true, antenna: undefined }));
      });
      for (let at = 0; at < stream.length; at += size) cut(stream.slice(at, at + size));
    },
  );
});

test(`every tag survives its hexadecimal form: ${fuzzRuns}`, async () => {
  await fuzz(
    (random) => ({
      country: 1 + below(random, 998),
      national: pick(random, [0, 1, 274_877_906_943, below(random, 274_877_906_944)]),
    }),
    ({ country, national }) => {
      const hex = ((1n << 63n) | (BigInt(country) << 38n) | BigInt(national)).toString(16);
      const tag = String(country).padStart(3, '0') + String(national).padStart(12, '0');
      const reason = tagProblem(tag);
      assert.deepEqual(hexTag(hex, 'msb'), reason === undefined ? { tag } : { reason });
    },
  );
});
