// Moments as devices write them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { momentIn, parseMoment } from '../../../connector/decode/moment.ts';

const at = Date.UTC(2026, 10, 20, 5, 42, 10);

describe('the same moment', () => {
  for (const written of [
    '2026-11-20T05:42:10Z',
    '2026-11-20T05:42:10z',
    ' 2026-11-20 05:42:10 Z ',
    '2026-11-20T05:42:10.000000Z',
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

describe('local time, without an offset', () => {
  const local = (text: string, zone?: string) => momentIn(text, () => zone);
  const exact = (iso: string) => ({ time: Date.parse(iso), isExact: true });
  const doubtful = (iso: string) => ({ time: Date.parse(iso), isExact: false });

  test('is of its zone, and of none without one', () => {
    assert.deepEqual(local('2026-11-28T09:01:32', 'Asia/Dhaka'), exact('2026-11-28T03:01:32Z'));
    assert.deepEqual(local('2026-11-28 09:01:32.25', 'Asia/Kathmandu'), exact('2026-11-28T03:16:32.250Z'));
    assert.deepEqual(local('2026-07-01T12:00', 'Europe/Berlin'), exact('2026-07-01T10:00:00Z'));
    assert.deepEqual(local('2026-01-01T12:00', 'Europe/Berlin'), exact('2026-01-01T11:00:00Z'));
    assert.match(JSON.stringify(local('2026-11-28T09:01:32')), /no UTC offset, and no time zone is known/);
    assert.equal(parseMoment('2026-11-28T09:01:32'), undefined);
    assert.deepEqual(local('09:01:32', 'Asia/Dhaka'), { problem: 'is not a time', isLocal: false });
  });

  test('an offset, or epoch, is not asked for its zone', () => {
    const zone = () => assert.fail('asked');
    for (const value of ['2026-11-20T05:42:10Z', '2026-11-20T11:42:10+0600', 1_795_153_330])
      assert.deepEqual(momentIn(value, zone), { time: at, isExact: true });
  });

  test('what clocks show twice is the first time, what they skip goes on with the time before; both are marked', () => {
    assert.deepEqual(local('2026-10-25T02:30:00', 'Europe/Berlin'), doubtful('2026-10-25T00:30:00Z'));
    assert.deepEqual(local('2026-10-25T01:59:59', 'Europe/Berlin'), exact('2026-10-24T23:59:59Z'));
    assert.deepEqual(local('2026-10-25T03:00:00', 'Europe/Berlin'), exact('2026-10-25T02:00:00Z'));
    assert.deepEqual(local('2026-03-29T02:30:00', 'Europe/Berlin'), doubtful('2026-03-29T01:30:00Z'));
    assert.deepEqual(local('2026-03-29T03:00:00', 'Europe/Berlin'), exact('2026-03-29T01:00:00Z'));
    assert.deepEqual(local('2026-11-01T01:30:00', 'America/New_York'), doubtful('2026-11-01T05:30:00Z'));
  });

  test('what a zone shows at a moment is that moment again, but for the hour that is shown twice', () => {
    const zones = [
      'Asia/Dhaka',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
    ];
    const years = {
      min: new Date('2020-01-01T00:00:00Z'),
      max: new Date('2030-01-01T00:00:00Z'),
      noInvalidDate: true,
    };
    fc.assert(
      fc.property(fc.date(years), fc.constantFrom(...zones), (date, zone) => {
        const shown = date.toLocaleString('sv-SE', { timeZone: zone });
        const found = local(shown, zone);
        assert.ok('time' in found);
        const whole = Math.trunc(date.getTime() / 1000) * 1000;
        if (found.isExact) assert.equal(found.time, whole);
        else assert.ok(found.time <= whole && whole - found.time <= 3_600_000);
      }),
    );
  });
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
