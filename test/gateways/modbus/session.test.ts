// Session events: whatever the moments of the polls, each milking is told once, with its final total.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stepSession, type MeterState, type SessionMemory } from '../../../gateways/modbus/session.ts';

interface Milked {
  id: string;
  startMs: number;
  endMs: number;
  nextMs: number;
  yieldKg: number;
}

const hourMs = 3_600_000;

/** A meter's day: milkings with pauses between them; the counter starts near its roll-over at times. */
const days = fc
  .record({
    counter: fc.constantFrom(0, 1, 500, 65_533, 65_535),
    milkings: fc.array(
      fc.record({
        pauseMs: fc.integer({ min: 1000, max: 3 * hourMs }),
        durationMs: fc.integer({ min: 1000, max: hourMs }),
        yieldKg: fc.integer({ min: 1, max: 3000 }).map((n) => n / 100),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ counter, milkings }) => {
    let at = 0;
    const list = milkings.map(({ pauseMs, durationMs, yieldKg }, index): Milked => {
      const startMs = at + pauseMs;
      at = startMs + durationMs;
      return { id: String((counter + index + 1) & 0xffff), startMs, endMs: at, nextMs: Infinity, yieldKg };
    });
    list.forEach((milking, index) => (milking.nextMs = list[index + 1]?.startMs ?? Infinity));
    return { counter, list, endMs: at + hourMs };
  });

function meterAt(day: { counter: number; list: Milked[] }, at: number): MeterState {
  const milking = day.list.findLast(({ startMs }) => startMs <= at);
  if (milking === undefined) return { counter: day.counter, active: false, at, yieldKg: 3 };
  const share = Math.min(1, (at - milking.startMs) / (milking.endMs - milking.startMs));
  return { counter: Number(milking.id), active: at < milking.endMs, at, yieldKg: milking.yieldKg * share };
}

const polled = days.chain((day) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: day.endMs }), { minLength: 1, maxLength: 60 })
    .map((moments) => ({ day, moments: moments.toSorted((a, b) => a - b) })),
);

/** Runs the machine over the polls; the memory goes through JSON, as over a restart. */
function run(day: { counter: number; list: Milked[] }, moments: readonly number[]) {
  let memory: SessionMemory | undefined;
  return moments.flatMap((at) => {
    const meter = meterAt(day, at);
    const step = stepSession(memory, meter);
    memory = JSON.parse(JSON.stringify(step.memory)) as SessionMemory;
    return step.session === undefined
      ? []
      : [{ ...step.session, at: step.at, polledAt: at, yieldKg: meter.yieldKg }];
  });
}

test('a milking whose totals were seen is told once, with exactly these totals', () => {
  fc.assert(
    fc.property(polled, ({ day, moments }) => {
      const events = run(day, moments);
      for (const milking of day.list) {
        const closing = events.filter(
          ({ id, event }) => id === milking.id && (event === 'end' || event === 'record'),
        );
        const firstPoll = moments[0] ?? 0;
        // What was over before the first look ever may have been counted by somebody else.
        const ours = firstPoll < milking.endMs;
        const totalsSeen = moments.some((at) => at >= milking.endMs && at < milking.nextMs);
        assert.equal(closing.length, ours && totalsSeen ? 1 : 0);
        if (closing.length > 0) assert.equal(closing[0]?.yieldKg, milking.yieldKg);
      }
    }),
    { numRuns: 500 },
  );
});

test('starts come first, a record alone, and time never runs backwards', () => {
  fc.assert(
    fc.property(polled, ({ day, moments }) => {
      const events = run(day, moments);
      events.forEach((event, index) => {
        const before = events[index - 1];
        assert.ok(before === undefined || event.at > before.at);
        assert.ok(event.at <= event.polledAt);
      });
      for (const { id } of day.list) {
        const story = events.filter((event) => event.id === id).map(({ event }) => event);
        assert.ok(/^((start|reading)?(,reading)*(,end)?|record)$/.test(story.join(',')), story.join(','));
      }
    }),
    { numRuns: 500 },
  );
});

const seen = (counter: number, open: boolean, at = 1000): SessionMemory => ({ counter, open, at });
const meter = (counter: number, active: boolean, at = 2000, yieldKg = 9): MeterState => ({
  counter,
  active,
  at,
  yieldKg,
});

test('the first look joins a running milking and leaves a finished one alone', () => {
  assert.deepEqual(stepSession(undefined, meter(7, true)).session, { id: '7', event: 'reading' });
  assert.equal(stepSession(undefined, meter(7, false)).session, undefined);
});

test('a cluster put on again goes on with the same milking', () => {
  const again = stepSession(seen(7, false), meter(7, true));
  assert.deepEqual(again.session, { id: '7', event: 'reading' });
  assert.deepEqual(stepSession(again.memory, meter(7, false, 3000)).session, { id: '7', event: 'end' });
});

test('the counter rolls over like any other step', () => {
  assert.deepEqual(stepSession(seen(65_535, false), meter(0, true)).session, { id: '0', event: 'start' });
  assert.deepEqual(stepSession(seen(65_535, true), meter(0, false)).session, { id: '0', event: 'record' });
});

test('a meter that lost its memory did not milk', () => {
  const step = stepSession(seen(812, false), meter(0, false, 2000, 0));
  assert.equal(step.session, undefined);
  assert.equal(step.memory.counter, 0);
});

test('the end of a milking last seen long ago is not now', () => {
  const late = stepSession(seen(7, true, 1000), meter(7, false, 1000 + 13 * hourMs));
  assert.deepEqual([late.session?.event, late.at], ['end', 1001]);
});
