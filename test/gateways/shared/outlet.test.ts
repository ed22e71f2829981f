// Store and forward: live first, backlog at its rate, nothing lost when broker, disk or process fail.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import type { Link, Settlement } from '../../../gateways/shared/link.ts';
import { connectLink } from '../../../gateways/shared/mqtt.ts';
import { createOutlet, type OutletOptions } from '../../../gateways/shared/outlet.ts';
import { openSpool, type Spool } from '../../../gateways/shared/spool.ts';
import { startOwnBroker, until, watch } from '../support/broker.ts';

const logger = pino({ level: 'silent' });

function spoolAt(t: TestContext): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'outlet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return openSpool({ file: join(folder, 's.sqlite'), maxBytes: 10e6, maxAgeMs: 1e10 }, logger);
}

/** A broker link that the test drives: it confirms when told to. */
function fakeLink() {
  const sent: { topic: string; payload: string; settle: (how: Settlement) => void }[] = [];
  let ready = false;
  const listeners: (() => void)[] = [];
  const link: Link = {
    isReady: () => ready,
    publish: (topic, payload, settle) => void sent.push({ topic, payload, settle }),
    retain: () => undefined,
    say: () => undefined,
    subscribe: () => undefined,
    onReady: (listener) => void listeners.push(listener),
    onTrouble: () => undefined,
    counts: () => ({ refused: 0, takenOver: 0 }),
    close: () => Promise.resolve(),
  };
  return {
    link,
    sent,
    setReady: (value: boolean) => {
      ready = value;
      if (value) for (const listener of listeners) listener();
    },
  };
}

const outletOf = (spool: Spool, link: Link, options: Partial<OutletOptions> = {}) =>
  createOutlet(spool, link, logger, { commitMs: 1, backlogPerS: 0, keepAcknowledgedMs: 0, ...options });
const message = (payload: string) => ({ topic: 'x/y', payload, at: Date.now() });

test('live messages overtake the backlog, and the backlog keeps its rate', async (t) => {
  const { link, sent, setReady } = fakeLink();
  const outlet = outletOf(spoolAt(t), link, { backlogPerS: 50 });
  for (let n = 0; n < 200; n++) await outlet.publish(message(`old ${n}`));
  setReady(true);
  const startedAt = performance.now();
  await until('some backlog', () => sent.length >= 5);
  await outlet.publish(message('live'));
  await until('live sent', () => sent.some(({ payload }) => payload === 'live'));
  const before = sent.findIndex(({ payload }) => payload === 'live');
  // A tenth of a second's worth at once, then 50 a second.
  const allowed = 5 + ((performance.now() - startedAt) / 1000) * 50 + 1;
  assert.ok(before <= allowed, `${before} of the backlog went first, ${allowed} were allowed`);
  assert.deepEqual(
    sent.slice(0, 5).map(({ payload }) => payload),
    [0, 1, 2, 3, 4].map((n) => `old ${n}`),
  );
  await outlet.close(0);
});

test('what was not confirmed is sent again, what was confirmed never', async (t) => {
  const { link, sent, setReady } = fakeLink();
  const outlet = outletOf(spoolAt(t), link);
  setReady(true);
  for (const name of ['a', 'b', 'c']) await outlet.publish(message(name));
  sent[0]?.settle('acknowledged');
  sent[2]?.settle('acknowledged');
  setReady(false);
  sent[1]?.settle('unsent');
  setReady(true);
  await until('again', () => sent.length === 4);
  sent[3]?.settle('acknowledged');
  assert.deepEqual(
    sent.map(({ payload }) => payload),
    ['a', 'b', 'c', 'b'],
  );
  await until('empty', () => outlet.counts().waiting === 0);
  await outlet.close(0);
});

test('a disk that takes nothing: readings go out from memory, and onto the disk again when it does', async (t) => {
  const spool = spoolAt(t);
  let isFull = true;
  const fickle: Spool = {
    ...spool,
    write: (batch) => {
      if (isFull) throw new Error('database or disk is full');
      return spool.write(batch);
    },
  };
  const { link, sent, setReady } = fakeLink();
  const outlet = outletOf(fickle, link);
  setReady(true);
  assert.equal(await outlet.publish(message('a')), false);
  assert.deepEqual(
    sent.map(({ payload }) => payload),
    ['a'],
  );
  sent[0]?.settle('acknowledged');
  setReady(false);
  const kept = outlet.publish(message('b'));
  await until('noticed', () => outlet.counts().writeErrors > 1);
  assert.equal(outlet.counts().unstored, 1);
  isFull = false;
  assert.equal(await kept, true);
  assert.deepEqual(
    spool.read(0, 9).map(({ payload }) => payload),
    ['b'],
  );
  await outlet.close(0);
});

test('through a real broker, with its connection cut again and again, everything arrives', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const eyes = await watch(broker, 'x/#');
  t.after(() => eyes.close());
  const link = connectLink({
    url: broker.url,
    username: undefined,
    password: undefined,
    clientId: 'gw',
    logger,
  });
  const outlet = outletOf(spoolAt(t), link);
  t.after(async () => {
    await outlet.close(0);
    await link.close();
  });
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 50; n++) await outlet.publish(message(`${round}-${n}`));
    await until('some confirmed', () => outlet.counts().acknowledged > round * 40);
    broker.cutClient('gw');
  }
  await until('all confirmed', () => outlet.counts().waiting === 0);
  await until('all arrived', () => new Set(eyes.seen.map(({ text }) => text)).size === 250);
});

test('of a retained topic only the latest message is delivered, and the will when we are gone', async (t) => {
  const first = await startOwnBroker();
  await first.stop();
  const will = { topic: 'x/will', payload: 'gone' };
  const link = connectLink({
    url: first.url,
    username: undefined,
    password: undefined,
    clientId: 'gw',
    will,
    logger,
  });
  t.after(() => link.close());
  link.retain('x/status', 'online');
  link.retain('x/status', 'offline');
  const broker = await startOwnBroker(first.port);
  t.after(() => broker.stop());
  const eyes = await watch(broker, 'x/#');
  t.after(() => eyes.close());
  await until('status', () => eyes.seen.length > 0);
  assert.deepEqual(
    eyes.seen.map(({ text }) => text),
    ['offline'],
  );
  broker.cutClient('gw');
  await until('will', () => eyes.seen.some(({ text }) => text === 'gone'));
});

test('a topic that is refused is kept and tried again, and holds up no other', async (t) => {
  const { link, sent, setReady } = fakeLink();
  const outlet = outletOf(spoolAt(t), link);
  setReady(true);
  const publish = (topic: string, payload: string) => outlet.publish({ topic, payload, at: Date.now() });
  const payloads = () => sent.splice(0).map(({ payload }) => payload);
  for (const payload of ['no 1', 'no 2']) await publish('x/no', payload);
  for (const { settle } of [...sent]) settle({ refused: 'Not authorized (0x87)' });
  assert.deepEqual(payloads(), ['no 1', 'no 2']);
  await publish('x/no', 'no 3');
  for (let n = 1; n <= 300; n++) await publish('x/yes', `yes ${n}`);
  const others: string[] = [];
  await until('all others went', () => {
    for (const { payload, settle } of sent.splice(0)) {
      others.push(payload);
      settle('acknowledged');
    }
    return others.length >= 300;
  });
  assert.ok(others.every((payload) => payload.startsWith('yes')));
  await until('only the refused ones wait', () => outlet.counts().waiting === 3);
  // Rights are given: with the next try, or the next connection, all of it goes, each once.
  setReady(false);
  setReady(true);
  assert.deepEqual(
    sent.map(({ payload }) => payload),
    ['no 1'],
  );
  sent[0]?.settle('acknowledged');
  for (const { settle } of sent.slice(1)) settle('acknowledged');
  assert.deepEqual(payloads(), ['no 1', 'no 2', 'no 3']);
  await until('empty', () => outlet.counts().waiting === 0);
  await outlet.close(0);
});

test('a broker that forgets what it had acknowledged is told again', async (t) => {
  const first = await startOwnBroker();
  const access = { url: first.url, username: undefined, password: undefined };
  const link = connectLink({ ...access, clientId: 'gw', logger });
  const outlet = outletOf(spoolAt(t), link, { keepAcknowledgedMs: 60_000 });
  t.after(async () => {
    await outlet.close(0);
    await link.close();
  });
  for (let n = 0; n < 50; n++) await outlet.publish(message(String(n)));
  await until('all acknowledged', () => outlet.counts().acknowledged === 50);
  assert.equal(outlet.counts().waiting, 0);
  // Nobody has read them, and what this broker had is gone.
  await first.stop();
  const second = await startOwnBroker(first.port);
  t.after(() => second.stop());
  const eyes = await watch(second, 'x/#');
  t.after(() => eyes.close());
  await until('all arrived', () => new Set(eyes.seen.map(({ text }) => text)).size === 50);
  assert.equal(outlet.counts().repeated, 50);
});

test('what was acknowledged for long enough is not kept', async (t) => {
  const { link, sent, setReady } = fakeLink();
  const spool = spoolAt(t);
  const outlet = outletOf(spool, link, { keepAcknowledgedMs: 10 });
  setReady(true);
  await outlet.publish(message('a'));
  sent[0]?.settle('acknowledged');
  await until('gone', () => spool.read(0, 9).length === 0);
  setReady(false);
  setReady(true);
  assert.equal(sent.length, 1);
  await outlet.close(0);
});
