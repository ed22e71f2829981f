// Pins what connector/sources/mqtt-source.ts relies on in MQTT.js, on a real broker: going on without acknowledging,
// and acknowledging later.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { connectAsync } from 'mqtt';
import { createMqttPublisher, createMqttSource } from '../../../connector/sources/mqtt-source.ts';
import type { IncomingMessage } from '../../../connector/sources/message.ts';
import { eventually } from '../../support/connector.ts';
import { noBroker, stackEnv } from '../../support/stack.ts';

function broker() {
  const { MQTT_URL: url = '', MQTT_USERNAME: username = '', MQTT_PASSWORD: password = '' } = stackEnv();
  return { url, login: { username, password } };
}

test(
  'messages are handed over without acknowledgement and acknowledged when they settle',
  { skip: noBroker() },
  async () => {
    const { url, login } = broker();
    const id = randomBytes(4).toString('hex');
    const options = {
      url,
      ...login,
      clientId: `test-source-${id}`,
      filters: [`dairy/${id}/#`],
      receiveMaximum: 100,
    };
    let received: IncomingMessage[] = [];
    const sink = {
      push: (message: IncomingMessage) => received.push(message),
      isFull: () => false,
      onDrain: () => undefined,
    };
    const source = createMqttSource(options, sink, pino({ level: 'silent' }));
    const publisher = await connectAsync(url, login);
    const texts = () => received.map((message) => Buffer.from(message.payload).toString());
    const reconnect = async () => {
      await source.pause();
      received = [];
      source.start();
      await eventually('subscribed', () => Promise.resolve(source.status().ok));
    };
    try {
      source.start();
      await eventually('subscribed', () => Promise.resolve(source.status().ok));
      for (const text of ['a', 'b', 'c']) await publisher.publishAsync(`dairy/${id}/x`, text, { qos: 1 });
      await eventually('all three are handed over though none is acknowledged', () =>
        Promise.resolve(received.length === 3),
      );
      assert.deepEqual(texts(), ['a', 'b', 'c']);
      assert.ok(received.every((message) => !message.redelivered && message.origin !== undefined));
      const origins = received.map((message) => message.origin);

      received[1]?.settle({ kind: 'ignored' });
      // A clean way to know that the PUBACK has reached the broker: it answers what comes after it.
      await publisher.publishAsync(`dairy/${id}/x`, 'd', { qos: 1 });
      await eventually('the fourth', () => Promise.resolve(received.length === 4));

      await reconnect();
      await eventually('the unacknowledged come again', () => Promise.resolve(received.length === 3));
      assert.deepEqual(texts(), ['a', 'c', 'd'], 'the acknowledged one does not, order is kept');
      assert.ok(received.every((message) => message.redelivered));
      assert.deepEqual(
        [received[0]?.origin, received[1]?.origin],
        [origins[0], origins[2]],
        'with the same packet ids',
      );

      for (const message of received) message.settle({ kind: 'ignored' });
      await publisher.publishAsync(`dairy/${id}/x`, 'e', { qos: 1 });
      await eventually('the fifth', () => Promise.resolve(received.length === 4));
      received[3]?.settle({ kind: 'ignored' });
      await publisher.publishAsync(`dairy/${id}/x`, 'f', { qos: 1 });
      await eventually('the sixth', () => Promise.resolve(received.length === 5));
      await reconnect();
      await eventually('only the last was open', () => Promise.resolve(received.length >= 1));
      assert.deepEqual(texts(), ['f']);
      received[0]?.settle({ kind: 'ignored' });

      // The broker keeps this one and would tell it with every subscription.
      await publisher.publishAsync(`dairy/${id}/kept`, 'g', { qos: 1, retain: true });
      await eventually('it is news once', () => Promise.resolve(received.length === 2));
      const kept = received.at(1);
      assert.equal(kept?.retained, false);
      kept.settle({ kind: 'ignored' });
      await publisher.publishAsync(`dairy/${id}/x`, 'h', { qos: 1 });
      await eventually('the seventh', () => Promise.resolve(received.length === 3));
      await reconnect();
      await eventually('no replay of retained ones', () => Promise.resolve(texts().includes('h')));
      assert.deepEqual(texts(), ['h']);
      // Who subscribes for the first time gets it, known for what it is.
      const newcomer: IncomingMessage[] = [];
      const first = createMqttSource(
        { ...options, clientId: `${options.clientId}-first` },
        { ...sink, push: (message) => void newcomer.push(message) },
        pino({ level: 'silent' }),
      );
      first.start();
      await eventually('the kept one', () => Promise.resolve(newcomer.length === 1));
      newcomer[0]?.settle({ kind: 'ignored' });
      await first.pause();
      assert.equal(newcomer[0]?.retained, true);
      await publisher.publishAsync(`dairy/${id}/kept`, '', { qos: 1, retain: true });
    } finally {
      await source.pause();
      await publisher.endAsync();
      for (const clientId of [options.clientId, `${options.clientId}-first`]) {
        const cleaner = await connectAsync(url, { ...login, clientId, clean: true });
        await cleaner.endAsync();
      }
    }
  },
);

test(
  'the connection that only publishes is made when it is needed, and anew after a loss',
  { skip: noBroker() },
  async () => {
    const { url, login } = broker();
    const id = randomBytes(4).toString('hex');
    const clientId = `test-publisher-${id}`;
    const publisher = createMqttPublisher({ url, ...login, clientId });
    const reader = await connectAsync(url, login);
    const received: string[] = [];
    reader.on('message', (_topic, payload) => received.push(payload.toString()));
    await reader.subscribeAsync(`dairy/${id}/#`, { qos: 1 });
    try {
      await Promise.all(['a', 'b'].map((text) => publisher.publish(`dairy/${id}/x`, text, 60)));
      // The broker ends a connection whose client id comes a second time.
      const rival = await connectAsync(url, { ...login, clientId });
      await rival.endAsync();
      await eventually('published again', () => publisher.publish(`dairy/${id}/x`, 'c', 60));
      await eventually('all three', () => Promise.resolve(received.length === 3));
      assert.deepEqual(received, ['a', 'b', 'c']);
      const nowhere = createMqttPublisher({ url: 'mqtt://127.0.0.1:9', ...login, clientId });
      await assert.rejects(nowhere.publish('dairy/x', 'd', 60), { kind: 'transient' });
      await nowhere.stop();
    } finally {
      await publisher.stop();
      await reader.endAsync();
    }
  },
);

test('a second client with the same id is named as the trouble', { skip: noBroker() }, async () => {
  const { url, login } = broker();
  const clientId = `test-source-${randomBytes(4).toString('hex')}`;
  const sink = { push: () => undefined, isFull: () => false, onDrain: () => undefined };
  const details: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void details.push(line) });
  const source = createMqttSource(
    { url, ...login, clientId, filters: [`dairy/${clientId}/#`], receiveMaximum: 10 },
    sink,
    logger,
  );
  try {
    source.start();
    await eventually('subscribed', () => Promise.resolve(source.status().ok));
    const other = await connectAsync(url, { ...login, clientId, protocolVersion: 5, reconnectPeriod: 0 });
    await eventually('it says who', () =>
      Promise.resolve(details.some((line) => line.includes(`another client connects as '${clientId}'`))),
    );
    await eventually('it is back', () => Promise.resolve(source.status().ok));
    other.end(true);
  } finally {
    await source.pause();
    await (await connectAsync(url, { ...login, clientId, clean: true })).endAsync();
  }
});
