// Moments as devices write them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseMoment } from '../../../connector/decode/moment.ts';

const at = Date.UTC(2026, 10, 20, 5, 42, 10);

describe('the same moment', () => {
  for (const written of [
    '2026-11-20T05:42:10Z',
    '2026-11-20T05:42:10z',
    '2026-11-20T05:42:10',
    '2026-11-20 05:42:10',
    ' 2026-11-20 05:42:10 Z ',
    '2026-11-20T05:42:10.000000',
    '2026-11-20T11:42:10+06:00',
    '2026-11-20T11:42:10+0600',
    '2026-11-20T00:12:10-05:30',
    '2026-11-20T05:42:10-00:00',
    1_795_153_330,
    1_795_153_330_000,
    1_795_153_330.0004,
    1_795_153_330_000.4,
  ]) {
    test(JSON.stringify(written), () => assert.equal(parseMoment(written), at));
  }
});

test('without seconds, with fractions of them', () => {
  assert.equal(parseMoment('2026-11-20T05:42Z'), at - 10_000);
  assert.equal(parseMoment('2026-11-20T05:42:10.25+00:00'), at + 250);
  assert.equal(parseMoment(1_795_153_330.25), at + 250);
  assert.equal(parseMoment('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29));
});

describe('no moment', () => {
  for (const value of [
    ...['', 'now', '2026-11-20', '05:42:10', '20261120T054210Z', '20.11.2026 05:42', '1795153330'],
    ...['2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2027-02-29T00:00:00Z', '2026-04-31 00:00:00'],
    ...['2026-11-00T00:00:00Z', '2026-11-20T25:00:00Z', '2026-11-20T05:61:00Z', '2026-11-20T05:42:10+99:00'],
    ...['2026-11-20T05:42:10 Asia/Dhaka', '2026-11-20T05:42:10Z junk', '-002026-11-20T05:42:10Z'],
    ...[NaN, Infinity, -Infinity, null, undefined, true, {}, [], ['2026-11-20T05:42:10Z'], 5n],
  ]) {
    test(inspect(value), () => assert.equal(parseMoment(value), undefined));
  }
});

test('every ISO text comes back as its moment; whole seconds and milliseconds are told apart since 1973', () => {
  const years = {
    min: new Date('1973-03-04T00:00:00Z'),
    max: new Date('5000-01-01T00:00:00Z'),
    noInvalidDate: true,
  };
  fc.assert(
    fc.property(fc.date(years), (date) => {
      const time = date.getTime();
      assert.equal(parseMoment(date.toISOString()), time);
      assert.equal(parseMoment(time), time);
      assert.equal(parseMoment(Math.trunc(time / 1000)), Math.trunc(time / 1000) * 1000);
    }),
  );
});

test('an offset shifts by exactly itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: -14 * 60, max: 14 * 60 }), (minutes) => {
      const part = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
      const offset = `${minutes < 0 ? '-' : '+'}${part(minutes / 60)}:${part(minutes % 60)}`;
      assert.equal(parseMoment(`2026-11-20T05:42:10${offset}`), at - minutes * 60_000);
    }),
  );
});

test('anything gives a whole number or nothing', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const time = parseMoment(value);
      assert.ok(time === undefined || Number.isInteger(time));
    }),
  );
});
