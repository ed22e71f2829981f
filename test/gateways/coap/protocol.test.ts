// The CoAP intake: messages byte by byte as RFC 7252 has them, repeated ones, tokens, and any datagram at all.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage, parseMessage } from '../../../gateways/coap/message.ts';
import { protocol } from '../../../gateways/coap/protocol.ts';
import { until } from '../support/broker.ts';
import { recordServices } from '../support/services.ts';

const token = 'token-of-the-first-one';

/** A confirmable POST with token byte 0xAB; each text stays below 269 bytes. */
function request(id: number, path: string[], query: string, payload: string, extra: number[] = []): Buffer {
  const option = (delta: number, text: string) => {
    const bytes = Buffer.from(text);
    const nibble = bytes.length < 13 ? bytes.length : 13;
    return Buffer.concat([
      Buffer.from([(delta << 4) | nibble, ...(nibble === 13 ? [bytes.length - 13] : [])]),
      bytes,
    ]);
  };
  return Buffer.concat([
    Buffer.from([0x41, 0x02, id >> 8, id & 0xff, 0xab]),
    ...path.map((part, index) => option(index === 0 ? 11 : 0, part)),
    ...(query === '' ? [] : [option(4, query)]),
    Buffer.from(extra),
    Buffer.from([0xff]),
    Buffer.from(payload),
  ]);
}

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

test('any datagram is a message or none', () => {
  const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3000);
  const sample = request(7, ['v1', 'data'], `token=${token}`, '{"temperature":3.6}');
  const mutated = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((edits) => {
    const bytes = Buffer.from(sample);
    for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
    return bytes.subarray(0, bytes.length - ((edits[0]?.[0] ?? 0) % 9));
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
      const message = parseMessage(bytes);
      if (message === undefined) return;
      assert.ok(message.token.length <= 8 && message.id <= 0xffff);
      assert.ok(message.path.concat(message.query).every((part) => typeof part === 'string'));
      const { kind, id, token: own } = message;
      const answer = parseMessage(encodeMessage({ kind, code: '2.04', id, token: own, text: 'x' }));
      assert.deepEqual([answer?.id, answer?.code], [id, 0x44]);
    }),
    { numRuns },
  );
});
