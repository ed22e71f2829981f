// The CoAP intake: messages byte by byte as RFC 7252 has them, repeated ones, tokens.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { protocol } from '../../../gateways/coap/protocol.ts';
import { until } from '../support/broker.ts';
import { recordServices } from '../support/services.ts';
import { request } from './request.ts';

const token = 'token-of-the-first-one';

test('requests are answered, repeated ones once', async () => {
  const record = recordServices();
  let port = 0;
  record.services.logger.info = (fields: { port?: number }) => {
    port = fields.port ?? port;
  };
  const running = protocol.start(
    protocol.schema.parse({ port: 0, devices: [{ uid: 'cold-store', type: 'temperature', token }] }),
    record.services,
  );
  await until('listening', () => port !== 0);
  const client = createSocket('udp4');
  const answers: string[] = [];
  client.on('message', (bytes) => {
    answers.push(`${bytes.subarray(0, 5).toString('hex')} ${bytes.subarray(6).toString()}`);
  });
  const ask = async (bytes: Buffer) => {
    const before = answers.length;
    client.send(bytes, port, '127.0.0.1');
    await until('an answer', () => answers.length > before);
    return answers.at(-1);
  };
  const good = request(7, ['v1', 'data'], `token=${token}`, '{"temperature":3.6}');
  assert.equal(await ask(good), '61440007ab ');
  assert.equal(await ask(good), '61440007ab ');
  assert.equal(record.raw.length, 1, 'a repeated message is taken once');
  const long = request(8, ['v1', 'devices', 'cold-store', 'data'], `token=${token}`, '{"temperature":3.7}');
  assert.equal(await ask(long), '61440008ab ');
  assert.equal(record.raw.length, 2);
  assert.match((await ask(request(9, ['v1', 'data'], 'token=wrong', '{}'))) ?? '', /^61810009ab wrong/);
  assert.match(
    (await ask(request(10, ['v1', 'devices', 'x', 'data'], `token=${token}`, '{}'))) ?? '',
    /^6183000aab /,
  );
  assert.match((await ask(request(11, ['v2'], `token=${token}`, '{}'))) ?? '', /^6184000bab /);
  assert.match((await ask(request(12, ['v1', 'data'], `token=${token}`, '{'))) ?? '', /^6180000cab /);
  // Block1 (27) is critical and not understood: delta 12 behind 15.
  assert.match(
    (await ask(request(13, ['v1', 'data'], `token=${token}`, '{}', [0xc1, 0x08]))) ?? '',
    /^6182000dab option 27/,
  );
  assert.equal(await ask(Buffer.from([0x40, 0x00, 0x00, 0x0e])), '7000000e ', 'a ping gets a reset');
  client.send(Buffer.from('hello'), port, '127.0.0.1');
  await until('nonsense counted', () => record.counts.get('coap_unreadable_total') === 1);
  client.close();
  await running.stop();
});

test('a request that is under way when the intake stops ends nothing', async () => {
  const record = recordServices();
  let port = 0;
  record.services.logger.info = (fields: { port?: number }) => {
    port = fields.port ?? port;
  };
  const stored = Promise.withResolvers<boolean>();
  let isAsked = false;
  record.services.publishRaw = () => {
    isAsked = true;
    return stored.promise;
  };
  const running = protocol.start(
    protocol.schema.parse({ port: 0, devices: [{ uid: 'cold-store', type: 'temperature', token }] }),
    record.services,
  );
  await until('listening', () => port !== 0);
  const client = createSocket('udp4');
  client.send(request(7, ['v1', 'data'], `token=${token}`, '{"temperature":3.6}'), port, '127.0.0.1');
  await until('asked', () => isAsked);
  await running.stop();
  stored.resolve(true);
  // A rejection that nobody hears fails the test.
  await new Promise((resolve) => setImmediate(resolve));
  client.close();
});
