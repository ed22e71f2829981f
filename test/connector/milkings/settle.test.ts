// A milking out of its messages: any order, any repetition, one record; and which messages belong together.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { toRecord } from '../../../connector/milkings/record.ts';
import type { MilkingEvent } from '../../../connector/milkings/evidence.ts';
import { event, milkingsOf, minute, place, recordsOf, rules, t0 } from './event.ts';

const hour = 60 * minute;
const tag = { rfid: '050000000000017', stall: '3' };

/** A milking with increments (volumes since the last message) and a conductivity, in exactly added eighths. */
const milking = fc
  .record({
    volumes: fc.array(fc.integer({ min: 0, max: 16 }), { minLength: 1, maxLength: 10 }),
    stepS: fc.integer({ min: 1, max: 60 }),
  })
  .map(({ volumes, stepS }) => ({
    yieldKg: volumes.reduce((sum, eighths) => sum + eighths / 8, 0),
    durationS: (volumes.length + 1) * stepS,
    events: [
      event('start', t0, {}, tag),
      ...volumes.map((eighths, index) =>
        event('reading', t0 + (index + 1) * stepS * 1000, {
          milk_yield_increment: eighths / 8,
          milk_conductivity: 4 + eighths / 8,
        }),
      ),
      event('end', t0 + (volumes.length + 1) * stepS * 1000, { milk_fat: 3.5 }),
    ],
  }));

/** The events in another order, each at least once and some several times. */
const disturbed = milking.chain(({ events, ...totals }) =>
  fc
    .tuple(
      fc.shuffledSubarray(events, { minLength: events.length }),
      fc.array(fc.tuple(fc.constantFrom(...events), fc.nat(40))),
    )
    .map(([shuffled, again]) => ({
      ...totals,
      events,
      messy: again.reduce((list, [extra, at]) => list.toSpliced(at, 0, extra), shuffled),
    })),
);

test('any order and any repetition of a milking’s messages give the same one record', () => {
  fc.assert(
    fc.property(disturbed, ({ events, messy, yieldKg, durationS }) => {
      const [record, ...others] = recordsOf(messy);
      assert.deepEqual(others, []);
      assert.deepEqual(record, recordsOf(events)[0]);
      assert.deepEqual(
        [record?.yield_kg, record?.duration_s, record?.complete, record?.rfid, record?.stall],
        [yieldKg, durationS, true, tag.rfid, '3'],
      );
    }),
    { numRuns: 300 },
  );
});

test('what a milking is does not change once everything came, whatever comes again', () => {
  fc.assert(
    fc.property(milking, fc.nat(), ({ events }, from) => {
      const before = milkingsOf(events);
      assert.deepEqual(milkingsOf([...events, ...events.slice(from % events.length)]), before);
      assert.equal(before[0]?.sessionKey, 's1');
    }),
  );
});

test('the same for a device that gives its milkings no id', () => {
  const anonymous = (events: MilkingEvent[]) => events.map((each) => ({ ...each, wireId: undefined }));
  const later = (events: MilkingEvent[], ms: number) =>
    events.map((each) => {
      const points = each.points.map((point) => ({ ...point, time: point.time + ms }));
      return { ...each, at: each.at + ms, points, newPoints: points };
    });
  fc.assert(
    fc.property(milking, milking, fc.nat(), fc.nat(), (first, second, cut, back) => {
      const events = anonymous([...first.events, ...later(second.events, first.durationS * 1000 + minute)]);
      // A crash after any message: the broker sends some of them again, then the rest.
      const seen = cut % (events.length + 1);
      const stream = [...events.slice(0, seen), ...events.slice(Math.max(0, seen - (back % (seen + 1))))];
      assert.deepEqual(
        recordsOf(stream).map(({ yield_kg, complete }) => [yield_kg, complete]),
        [
          [first.yieldKg, true],
          [second.yieldKg, true],
        ],
      );
    }),
    { numRuns: 300 },
  );
});

test('cumulative totals: the highest counts, however it comes', () => {
  const totals = [0, 1.5, 4.25, 9.125];
  const events = totals.map((milk_yield, index) => event('reading', t0 + index * minute, { milk_yield }));
  fc.assert(
    fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
      assert.equal(recordsOf(shuffled)[0]?.yield_kg, 9.125);
    }),
  );
});

test('a milking is open until its end; a late reading adds to it and leaves its end where it was', () => {
  const start = event('start', t0);
  const reading = event('reading', t0 + minute, { milk_yield_increment: 2 });
  const end = event('end', t0 + 5 * minute);
  const late = event('reading', t0 + 4 * minute, { milk_yield_increment: 3 });
  const after = event('reading', t0 + 6 * minute, { milk_yield_increment: 0.5 });
  const state = (events: MilkingEvent[]) =>
    milkingsOf(events).map(({ complete, endedAt }) => [complete, endedAt]);
  assert.deepEqual(state([start, reading]), [[false, null]]);
  assert.deepEqual(state([start, reading, end]), [[true, end.at]]);
  assert.deepEqual(state([start, reading, end, late, after]), [[true, end.at]]);
  assert.equal(recordsOf([start, reading, end, late, after])[0]?.yield_kg, 5.5);
  assert.equal(recordsOf([start, reading, end, late, after])[0]?.duration_s, 300);
});

test('closed after silence is incomplete until the end turns up', () => {
  const [milking] = milkingsOf([event('start', t0), event('reading', t0 + minute, { milk_yield: 4 })]);
  assert.ok(milking);
  const record = toRecord(milking, place, null, rules);
  assert.deepEqual([record.complete, record.ended_at], [false, new Date(t0 + minute).toISOString()]);
});

describe('two words about the animal of a milking', () => {
  const [one, two] = ['050000000000017', '050000000000018'] as const;
  const told = (events: MilkingEvent[]) => {
    const [record, ...others] = recordsOf(events);
    assert.deepEqual(others, []);
    return [record?.rfid, record?.marks];
  };
  for (const [how, wireId] of [
    ['with an id', 's1'],
    ['without', undefined],
  ] as const)
    test(`${how}: the newest counts, of one moment the greater, and that they differ is told`, () => {
      const said = (kind: MilkingEvent['event'], at: number, rfid?: string) =>
        event(kind, at, {}, { wireId, ...(rfid === undefined ? {} : { rfid }) });
      const end = said('end', t0 + 2 * minute);
      const later = [said('start', t0, two), said('reading', t0 + minute, one), end];
      const together = [
        said('start', t0),
        said('reading', t0 + minute, one),
        said('reading', t0 + minute, two),
        end,
      ];
      for (const order of [later, later.toReversed()]) assert.deepEqual(told(order), [one, 'conflict']);
      for (const order of [together, together.toReversed()]) assert.deepEqual(told(order), [two, 'conflict']);
      const same = [said('start', t0, one), said('reading', t0 + minute, one), end];
      assert.deepEqual(told(same), [one, undefined]);
    });
});

describe('which messages belong together', () => {
  const keys = (events: MilkingEvent[]) => milkingsOf(events).map(({ sessionKey }) => sessionKey);

  test('a wire id again within the length of a milking is the same milking, later another', () => {
    const first = [event('start', t0), event('end', t0 + 6 * minute)];
    assert.deepEqual(keys([...first, event('reading', t0 + 36 * minute)]), ['s1']);
    const next = t0 + 36 * minute + 1;
    const second = [event('start', next), event('end', next + minute)];
    const both = ['s1', `s1@${new Date(next).toISOString()}`];
    assert.deepEqual(keys([...first, ...second]), both);
    assert.deepEqual(keys([...first, ...second, ...second, ...first]), both);
  });

  test('other wire ids are other milkings, also when they mix', () => {
    const other = { wireId: 's2' };
    const events = [
      event('start', t0),
      event('start', t0, {}, other),
      event('end', t0 + 1),
      event('end', t0, {}, other),
    ];
    assert.deepEqual(keys(events), ['s1', 's2']);
  });

  test('a message without id belongs to the open milking of the device', () => {
    const reading = event('reading', t0 + minute, { milk_yield: 3 }, { wireId: undefined });
    assert.deepEqual(keys([event('start', t0), reading]), ['s1']);
    assert.equal(recordsOf([event('start', t0), reading])[0]?.yield_kg, 3);
  });

  test('without ids, the start of the next animal does not join a milking whose end was lost', () => {
    const none = { wireId: undefined };
    const events = [
      event('start', t0, {}, { ...none, animalRef: 'A' }),
      event('reading', t0 + minute, { milk_yield_increment: 4 }, none),
      event('start', t0 + 8 * minute, {}, { ...none, animalRef: 'B' }),
      event('reading', t0 + 9 * minute, { milk_yield_increment: 5 }, none),
      event('end', t0 + 10 * minute, {}, none),
    ];
    assert.deepEqual(
      recordsOf(events).map(({ animal_ref, yield_kg, complete }) => [animal_ref, yield_kg, complete]),
      [
        ['A', 4, false],
        ['B', 5, true],
      ],
    );
  });

  test('without ids, one milking may start in the second in which the last one ends', () => {
    const none = { wireId: undefined };
    const events = [
      event('start', t0, {}, none),
      event('end', t0 + minute, {}, none),
      event('start', t0 + minute, {}, none),
    ];
    assert.equal(keys(events).length, 2);
  });
});

describe('a meter that counts from the beginning each shift', () => {
  const shift = (at: number) => [
    event('start', at),
    event('reading', at + minute, { milk_yield: 5 }),
    event('end', at + 2 * minute),
  ];

  test('the same number started after its end is another milking', () => {
    const milkings = milkingsOf([...shift(t0), ...shift(t0 + 8 * hour)]);
    assert.deepEqual(
      milkings.map(({ sessionKey, stats }) => [sessionKey, stats['milk_yield']?.n]),
      [
        ['s1', 1],
        [`s1@${new Date(t0 + 8 * hour).toISOString()}`, 1],
      ],
    );
  });

  test('what belongs to the first still finds it', () => {
    const late = event('reading', t0 + 90_000, { milk_yield: 6 });
    const milkings = milkingsOf([...shift(t0), ...shift(t0 + 8 * hour), late]);
    assert.deepEqual(
      milkings.map(({ stats }) => stats['milk_yield']?.max),
      [6, 5],
    );
  });
});

describe('finished records', () => {
  const record = (yieldKg: number, at = t0, more: Partial<MilkingEvent> = {}) =>
    event('record', at, { milk_yield: yieldKg, milking_duration: 300 }, more);

  test('three times the same is one', () => {
    const one = recordsOf([record(10)]);
    assert.deepEqual(recordsOf([record(10), record(10), record(10)]), one);
    assert.deepEqual(
      [one[0]?.yield_kg, one[0]?.started_at, one[0]?.ended_at, one[0]?.duration_s, one[0]?.complete],
      [10, '2026-11-20T04:55:00.000Z', '2026-11-20T05:00:00.000Z', 300, true],
    );
  });

  test('a corrected one replaces its values, also downwards, and keeps what it does not name', () => {
    const first = event('record', t0, { milk_yield: 10, milk_fat: 4 });
    const [corrected] = recordsOf([first, record(8, t0 + 1)]);
    assert.deepEqual([corrected?.yield_kg, corrected?.fat_pct], [8, 4]);
  });

  test('without id, its moment tells it', () => {
    const none = { wireId: undefined };
    const events = [record(10, t0, none), record(11, t0 + 7 * minute, none), record(10, t0, none)];
    assert.deepEqual(
      milkingsOf(events).map(({ sessionKey, stats }) => [sessionKey, stats['milk_yield']?.max]),
      [
        ['at:2026-11-20T05:00:00.000Z', 10],
        ['at:2026-11-20T05:07:00.000Z', 11],
      ],
    );
  });
});
