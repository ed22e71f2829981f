// Any datagram is a CoAP message or none, and what is a message can be answered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage, parseMessage } from '../../../gateways/coap/message.ts';
import { anyBytes, fuzz, fuzzRuns } from '../../support/fuzz.ts';
import { request } from './request.ts';

const samples = [
  request(7, ['v1', 'data'], 'token=token-of-the-first-one', '{"temperature":3.6}'),
  request(8, ['v1', 'devices', 'cold-store', 'data'], 'token=token-of-the-first-one', '{}'),
  request(9, ['v1', 'data'], '', 'x', [0xc1, 0x08]),
  // An option of two length bytes, and a ping.
  Buffer.concat([
    Buffer.from([0x40, 0x02, 0, 1, 0xbe, 0x00, 0x10]),
    Buffer.alloc(285, 97),
    Buffer.from([0xff, 49]),
  ]),
  Buffer.from([0x40, 0x00, 0x00, 0x0e]),
];

test(`datagrams: ${fuzzRuns}`, async () => {
  await fuzz(
    (random) => anyBytes(random, samples, 80),
    (bytes) => {
      const message = parseMessage(bytes);
      if (message === undefined) return;
      const { kind, code, id, token, path, query, payload, badOption } = message;
      assert.ok([kind, code, id].every(Number.isInteger) && kind <= 3 && code <= 0xff && id <= 0xffff);
      assert.ok(token.length <= 8 && payload.length < bytes.length);
      assert.ok(path.concat(query).every((part) => typeof part === 'string'));
      assert.ok(badOption === undefined || badOption % 2 === 1);
      const answer = parseMessage(encodeMessage({ kind, code: '2.04', id, token, text: 'x' }));
      assert.deepEqual([answer?.id, answer?.code], [id, 0x44]);
      assert.deepEqual(Buffer.from(answer?.token ?? []), Buffer.from(token));
    },
  );
});
