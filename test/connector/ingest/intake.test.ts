// The intake: batches by number or time, order, settling after the write, retries, back-pressure, stop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createClockWatch } from '../../../connector/quality/clock.ts';
import { createQualityWatch } from '../../../connector/quality/watch.ts';
import { createArrivalClock } from '../../../connector/ingest/arrival-clock.ts';
import { startIntake, type IntakeHooks, type IntakeLimits } from '../../../connector/ingest/intake.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import type { BatchResult } from '../../../connector/ingest/writer.ts';
import { AppError } from '../../../contract/errors.ts';
import { decodeContext } from '../decode/context.ts';
import { message } from './message-fixture.ts';

const never = 2 ** 30;
const result: BatchResult = {
  readings: 0,
  duplicates: 0,
  conflicts: 0,
  deadLetters: 0,
  published: [],
  commands: [],
  seen: new Map(),
  outcomes: [],
};

/** An intake whose writes wait until they are answered. */
function setup(changes: Partial<IntakeLimits> = {}) {
  const limits = { batchMessages: 3, batchMs: 5, maxPendingBytes: 1_000_000, ...changes };
  const log: string[] = [];
  const waiting: { items: readonly Item[]; answer: (error?: Error) => void }[] = [];
  let written: (() => void) | undefined;
  const hooks: IntakeHooks = {
    onBatch: (_result, items) => void log.push(`batch of ${items.length}`),
    onDatabaseDown: (detail) => void log.push(`down: ${detail}`),
    onDatabaseUp: () => void log.push('up'),
  };
  const intake = startIntake(
    (items) =>
      new Promise((resolve, reject) => {
        waiting.push({ items, answer: (error) => (error === undefined ? resolve(result) : reject(error)) });
        written?.();
      }),
    decodeContext(),
    {
      clock: createArrivalClock(new Map()),
      watch: createQualityWatch(new Map()),
      clocks: createClockWatch(60_000),
    },
    limits,
    hooks,
    pino({ level: 'silent' }),
  );
  let count = 0;
  return {
    intake,
    log,
    waiting,
    push: (number = 1, bytes = 2) => {
      for (let pushed = 0; pushed < number; pushed++) {
        const name = String(++count);
        const payload = Buffer.alloc(bytes, '1');
        intake.push(message({ origin: name, payload, settle: () => log.push(`settled ${name}`) }));
      }
    },
    /** The next write: waits for it. */
    write: async () => {
      if (waiting.length === 0) await new Promise<void>((resolve) => (written = resolve));
      const next = waiting.shift();
      assert.ok(next);
      return { ...next, names: next.items.map((item) => item.message.origin) };
    },
  };
}

test('a batch closes when it is full, long before its time', async () => {
  const { intake, push, write } = setup({ batchMs: never });
  push(2);
  setImmediate(() => push(2));
  const full = await write();
  assert.deepEqual(full.names, ['1', '2', '3']);
  full.answer();
  push(2);
  const next = await write();
  assert.deepEqual(next.names, ['4', '5', '6']);
  next.answer();
  await intake.stop();
});

test('a batch that does not fill closes when its time is up', async () => {
  const { intake, push, write } = setup();
  push(2);
  const { names, answer } = await write();
  assert.deepEqual(names, ['1', '2']);
  answer();
  await intake.stop();
});

test('one batch at a time, in order; messages settle after their batch is written, not before', async () => {
  const { intake, push, write, log, waiting } = setup();
  push(5);
  const first = await write();
  await sleep(20);
  assert.deepEqual([waiting.length, log], [0, []]);
  first.answer();
  const second = await write();
  assert.deepEqual(second.names, ['4', '5']);
  assert.deepEqual(log, ['batch of 3', 'settled 1', 'settled 2', 'settled 3']);
  assert.deepEqual(intake.pending(), { messages: 2, bytes: 4 });
  second.answer();
  await intake.stop();
  assert.deepEqual(log.slice(4), ['batch of 2', 'settled 4', 'settled 5']);
  assert.deepEqual(intake.pending(), { messages: 0, bytes: 0 });
});

test('a write that fails is tried again with the same items; down and up are told once', async () => {
  const { intake, push, write, log } = setup();
  push(1);
  const first = await write();
  push(1);
  first.answer(new AppError('transient', 'no database'));
  const second = await write();
  assert.equal(second.items, first.items);
  assert.deepEqual(log, ['down: no database']);
  second.answer(new AppError('transient', 'still none'));
  const third = await write();
  assert.equal(third.items, first.items);
  third.answer();
  (await write()).answer();
  await intake.stop();
  assert.deepEqual(log, ['down: no database', 'up', 'batch of 1', 'settled 1', 'batch of 1', 'settled 2']);
});

test('messages that cannot be decoded go the same way and settle too', async () => {
  const { intake, push, write, log } = setup();
  push(1);
  const { items, answer } = await write();
  assert.deepEqual(items[0]?.decoded, { kind: 'dead', reason: 'the payload is not a JSON object' });
  answer();
  await intake.stop();
  assert.deepEqual(log, ['batch of 1', 'settled 1']);
});

test('full above its bytes; whoever waits is called once, when there is room again', async () => {
  const { intake, push, write } = setup({ maxPendingBytes: 100, batchMessages: 1 });
  push(1, 100);
  assert.equal(intake.isFull(), false);
  push(1, 1);
  push(1, 60);
  assert.equal(intake.isFull(), true);
  let called = 0;
  intake.onDrain(() => called++);
  const first = await write();
  assert.equal(called, 0);
  first.answer();
  const second = await write();
  assert.deepEqual([called, intake.isFull()], [1, false]);
  second.answer();
  (await write()).answer();
  await intake.stop();
  assert.equal(called, 1);
});

test('stop writes what is waiting', async () => {
  const { intake, push, write, log } = setup({ batchMs: never });
  push(2);
  await sleep(5);
  const stopped = intake.stop();
  (await write()).answer();
  await stopped;
  assert.deepEqual(log, ['batch of 2', 'settled 1', 'settled 2']);
});

test('stop without anything waiting, and twice', async () => {
  const { intake, log } = setup({ batchMs: never });
  await intake.stop();
  await intake.stop();
  assert.deepEqual(log, []);
});

test('stop gives up on a database that stays away, and settles nothing', async () => {
  const { intake, push, write, log } = setup();
  push(2);
  const first = await write();
  const stopped = intake.stop();
  first.answer(new AppError('transient', 'no database'));
  (await write()).answer(new AppError('transient', 'no database'));
  await stopped;
  assert.deepEqual(log, ['down: no database']);
  assert.equal(intake.pending().messages, 2);
});
