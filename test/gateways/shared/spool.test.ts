// The spool: what is written survives, what is too much or too old is dropped and counted, a damaged file is put aside.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { openSpool, type Message, type Spool } from '../../../gateways/shared/spool.ts';

const logger = pino({ level: 'silent' });
const dayMs = 86_400_000;

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'spool.sqlite');
}

const open = (file: string, maxBytes = 100e6): Spool =>
  openSpool({ file, maxBytes, maxAgeMs: dayMs }, logger);
const message = (n: number, at = Date.now()): Message => ({
  topic: `x/${n % 3}`,
  payload: `payload ${n}`,
  at,
});
const write = (spool: Spool, messages: readonly Message[], delivered: readonly number[] = []) =>
  spool.write({ messages, delivered, memory: new Map() });

test('messages come back in order, by another process too, until they are delivered', (t) => {
  const file = place(t);
  const first = open(file);
  const ids = write(
    first,
    [1, 2, 3, 4].map((n) => message(n)),
  );
  first.write({ messages: [], delivered: [ids[1] ?? 0], memory: new Map([['k', { a: [1] }]]) });
  first.close();
  const second = open(file);
  assert.deepEqual(
    second.read(0, 10).map(({ topic, payload }) => [topic, payload]),
    [
      ['x/1', 'payload 1'],
      ['x/0', 'payload 3'],
      ['x/1', 'payload 4'],
    ],
  );
  assert.deepEqual(
    second.read(ids[2] ?? 0, 1).map(({ payload }) => payload),
    ['payload 4'],
  );
  assert.deepEqual(second.recall('k'), { a: [1] });
  assert.equal(second.counts().waiting, 3);
  // Ids are never used again, so that a late confirmation cannot remove another message.
  write(
    second,
    [],
    second.read(0, 10).map(({ id }) => id),
  );
  assert.ok((write(second, [message(9)])[0] ?? 0) > (ids[3] ?? 0));
  second.close();
});

test('beyond the cap the oldest go, and are counted, also after a restart', (t) => {
  const file = place(t);
  const spool = open(file, 1e6);
  const payload = 'x'.repeat(1000);
  let dropped = 0;
  for (let round = 0; round < 60; round++) {
    write(
      spool,
      Array.from({ length: 100 }, () => ({ topic: 't', payload, at: Date.now() })),
    );
    dropped += spool.trim(Date.now());
    assert.ok(spool.counts().bytes <= 1.2e6);
  }
  const { waiting } = spool.counts();
  assert.equal(waiting + dropped, 6000);
  assert.equal(spool.read(0, 1)[0]?.id, dropped + 1);
  assert.ok(statSync(file).size < 2e6);
  spool.close();
  const again = open(file, 1e6);
  assert.deepEqual([again.counts().waiting, again.counts().dropped], [waiting, dropped]);
  again.close();
});

test('what is too old goes; what was read with a wrong clock has no age', (t) => {
  const spool = open(place(t));
  const now = Date.now();
  write(spool, [message(1, now - 2 * dayMs), message(2, 0), message(3, now)]);
  assert.equal(spool.trim(now), 1);
  assert.deepEqual(
    spool.read(0, 9).map(({ payload }) => payload),
    ['payload 2', 'payload 3'],
  );
  spool.close();
});

test('a damaged file is put aside, a file in use is refused', (t) => {
  const file = place(t);
  writeFileSync(file, 'this is not a database, whatever its name says'.repeat(100));
  const spool = open(file);
  write(spool, [message(1)]);
  assert.ok(readdirSync(join(file, '..')).some((name) => name.includes('.damaged-')));
  assert.throws(() => open(file), /in use: does another gateway run with the same file\?/);
  spool.close();
  assert.throws(() => open('/dev/null/spool.sqlite'), /cannot be opened .*choose another place/);
});
