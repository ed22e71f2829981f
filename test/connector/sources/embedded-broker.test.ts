// The embedded broker: who may in, PUBACK after the commit, and what is not for the connector goes to other clients only.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { startEmbeddedBroker } from '../../../connector/sources/embedded-broker.ts';
import { parseAccounts } from '../../../connector/sources/password-file.ts';
import type { IncomingMessage } from '../../../connector/sources/message.ts';
import { passwordLine } from '../../../scripts/ops/stack/mosquitto-config.ts';
import { eventually } from '../../support/connector.ts';
import { freePort } from '../../support/free-port.ts';

const account = { username: 'farm', password: 'a-secret-of-the-test' };

describe('embedded broker', () => {
  const received: IncomingMessage[] = [];
  let full = false;
  const sink = {
    push: (message: IncomingMessage) => received.push(message),
    isFull: () => full,
    onDrain: () => undefined,
  };
  let broker: Awaited<ReturnType<typeof startEmbeddedBroker>>;
  let url = '';
  before(async () => {
    const port = await freePort();
    url = `mqtt://127.0.0.1:${port}`;
    const accounts = parseAccounts(passwordLine('gateway-1', 'of-the-gateway'));
    const options = { port, ...account, accounts, filters: ['dairy/#'], maxRetained: 2 };
    broker = await startEmbeddedBroker(options, sink, pino({ level: 'silent' }));
  });
  after(() => broker.stop());

  it('lets in nobody without the password', async () => {
    const wrong = { ...account, password: 'guessed' };
    await assert.rejects(connectAsync(url, { ...wrong, reconnectPeriod: 0 }), /Not authorized|Bad User/i);
    await assert.rejects(connectAsync(url, { reconnectPeriod: 0 }), /Not authorized|Bad User/i);
  });

  it('lets a program in under its own name only, so that it takes over nobody else', async () => {
    const program = { username: 'gateway-1', password: 'of-the-gateway', reconnectPeriod: 0 };
    const meter = await connectAsync(url, { ...account, clientId: 'meter-1', reconnectPeriod: 0 });
    let ended = false;
    meter.on('close', () => (ended = true));
    await assert.rejects(connectAsync(url, { ...program, clientId: 'meter-1' }), /Identifier rejected/i);
    await assert.rejects(
      connectAsync(url, { ...program, clientId: 'gateway-1', password: 'guessed' }),
      /Not authorized|Bad User/i,
    );
    const own = await connectAsync(url, { ...program, clientId: 'gateway-1' });
    await own.endAsync();
    assert.equal(ended, false);
    await meter.endAsync();
  });

  it('acknowledges a message when it has settled, not before', async () => {
    const client = await connectAsync(url, { ...account, clientId: 'meter' });
    let acknowledged = false;
    const published = client.publishAsync('dairy/f/temperature/t/data', '{}', { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await eventually('received', () => Promise.resolve(received.length === 1));
    // Another message goes all the way meanwhile: the first one's acknowledgement would have come before it.
    await client.publishAsync('other/topic', 'x', { qos: 1 });
    assert.equal(acknowledged, false);
    assert.match(received[0]?.origin ?? '', /^meter:\d+$/);
    received[0]?.settle({ kind: 'ignored' });
    await published;
    await client.endAsync();
  });

  it('passes other topics on without troubling the connector', async () => {
    const [from, to] = [await connectAsync(url, account), await connectAsync(url, account)];
    const heard: string[] = [];
    to.on('message', (topic) => heard.push(topic));
    await to.subscribeAsync('application/#', { qos: 1 });
    const before = received.length;
    await from.publishAsync('application/1/device/2/event/up', '{}', { qos: 1 });
    await eventually('heard', () => Promise.resolve(heard.length === 1));
    assert.equal(received.length, before);
    await Promise.all([from.endAsync(), to.endAsync()]);
  });

  it('keeps the retained messages of so many topics, and passes those of others on', async (t) => {
    const client = await connectAsync(url, account);
    t.after(() => client.endAsync(true));
    const live: string[] = [];
    client.on('message', (topic) => live.push(topic));
    await client.subscribeAsync('kept/#', { qos: 1 });
    const retain = (topic: string, text: string) =>
      client.publishAsync(topic, text, { qos: 1, retain: true });
    for (const topic of ['kept/a', 'kept/b', 'kept/c', 'kept/a']) await retain(topic, 'x');
    await eventually('all are passed on', () => Promise.resolve(live.length === 4));
    /** What a new subscriber gets: so many at least, and no more than these with what is published afterwards. */
    const kept = async (least: number) => {
      const other = await connectAsync(url, account);
      const found: string[] = [];
      other.on('message', (topic) => found.push(topic));
      await other.subscribeAsync(['kept/#', 'marker'], { qos: 1 });
      await eventually('the kept ones', () => Promise.resolve(found.length >= least));
      await client.publishAsync('marker', 'x', { qos: 1 });
      await eventually('the marker', () => Promise.resolve(found.includes('marker')));
      await other.endAsync();
      return found.filter((topic) => topic !== 'marker').sort();
    };
    assert.deepEqual(await kept(2), ['kept/a', 'kept/b']);
    // A place that is given back is another topic's.
    await retain('kept/a', '');
    await retain('kept/c', 'x');
    assert.deepEqual(await kept(2), ['kept/b', 'kept/c']);
  });

  it('closes the connection while the database does not keep up: the device keeps the message', async () => {
    full = true;
    const client = await connectAsync(url, { ...account, reconnectPeriod: 0 });
    const before = received.length;
    const closed = new Promise<void>((resolve) => client.once('close', resolve));
    client.publish('dairy/f/temperature/t/data', '{}', { qos: 1 });
    await closed;
    assert.equal(received.length, before);
    full = false;
    await client.endAsync(true);
  });
});
