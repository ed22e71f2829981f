// The publisher: confirmed delivery, a bounded queue, retained status and last will.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { connectPublisher, type Publisher } from '../../../gateways/shared/mqtt.ts';
import { startOwnBroker, until, watch } from '../support/broker.ts';

const presenceTopic = 'dairy/t/gateway/gw/status';

function publisherAt(t: TestContext, url: string, queueLimit = 1000): Publisher {
  const publisher = connectPublisher({
    url,
    username: undefined,
    password: undefined,
    clientId: 'gw',
    queueLimit,
    presence: { topic: presenceTopic, online: () => 'online', offline: () => 'offline', will: 'gone' },
    logger: pino({ level: 'silent' }),
  });
  t.after(() => publisher.close(0));
  return publisher;
}

test('while the broker is away the oldest messages are dropped and counted, the rest arrives in order', async (t) => {
  const first = await startOwnBroker();
  await first.stop();
  const publisher = publisherAt(t, first.url, 3);
  const sent = ['a', 'b', 'c', 'd', 'e'].map((text) => publisher.send('x/y', text));
  assert.deepEqual(await Promise.all(sent.slice(0, 2)), [false, false]);
  assert.deepEqual(publisher.counts(), { acknowledged: 0, dropped: 2, waiting: 3 });

  const broker = await startOwnBroker(first.port);
  t.after(() => broker.stop());
  const eyes = await watch(broker, 'x/#');
  t.after(() => eyes.close());
  assert.deepEqual(await Promise.all(sent.slice(2)), [true, true, true]);
  assert.deepEqual(publisher.counts(), { acknowledged: 3, dropped: 2, waiting: 0 });
  await publisher.send('x/y', 'f');
  await until('f arrived', () => eyes.seen.some(({ text }) => text === 'f'));
  // The watcher may have come after c, d, e; what it saw is in order and complete from there.
  const texts = eyes.seen.map(({ text }) => text).join('');
  assert.ok('cdef'.endsWith(texts), texts);
});

test('a message counts as sent only when the broker confirmed it, however often the connection breaks', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const eyes = await watch(broker, 'x/#');
  t.after(() => eyes.close());
  const publisher = publisherAt(t, broker.url);
  const results: Promise<boolean>[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 50; i++) results.push(publisher.send('x/y', `${round}-${i}`));
    await until('some confirmed', () => publisher.counts().acknowledged > round * 40);
    // Only the publisher: the watcher must not miss anything.
    broker.cutClient('gw');
  }
  assert.ok((await Promise.all(results)).every(Boolean));
  await until('all arrived', () => new Set(eyes.seen.map(({ text }) => text)).size === 250);
});

test('the gateway is online while it lives, gone when it breaks, offline when it stops', async (t) => {
  const broker = await startOwnBroker();
  t.after(() => broker.stop());
  const eyes = await watch(broker, presenceTopic);
  t.after(() => eyes.close());
  const states = () => eyes.seen.map(({ text }) => text);
  const publisher = publisherAt(t, broker.url);
  await until('online', () => states().includes('online'));
  broker.cutClient('gw');
  await until('gone, and back', () => states().join() === 'online,gone,online');
  await publisher.close();
  await until('offline', () => states().at(-1) === 'offline');

  const late = await watch(broker, presenceTopic);
  t.after(() => late.close());
  await until('retained', () => late.seen.some(({ text, retained }) => text === 'offline' && retained));
});

test('of a retained topic only the latest message is delivered', async (t) => {
  const first = await startOwnBroker();
  await first.stop();
  const publisher = publisherAt(t, first.url);
  publisher.retain('x/status', 'online');
  publisher.retain('x/status', 'offline');
  const broker = await startOwnBroker(first.port);
  t.after(() => broker.stop());
  await publisher.send('x/data', 'after');
  const eyes = await watch(broker, 'x/status');
  t.after(() => eyes.close());
  await until('status', () => eyes.seen.length > 0);
  assert.deepEqual(eyes.seen, [{ topic: 'x/status', text: 'offline', retained: true }]);
});
