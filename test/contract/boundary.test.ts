// The boundary of event handlers: what they throw is logged once, and ends nothing.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { beforeEach, test } from 'node:test';
import { bounded } from '../../contract/runtime/boundary.ts';
import { listenOn } from '../../contract/runtime/listen.ts';

let logged: unknown[] = [];
const logger = { error: (...line: unknown[]) => void logged.push(line) };
beforeEach(() => (logged = []));

test('arguments go through, and nothing is logged when all is well', () => {
  const seen: unknown[] = [];
  const emitter = new EventEmitter();
  emitter.on(
    'message',
    bounded(logger, 'message', (topic: string, n: number) => seen.push(topic, n)),
  );
  emitter.emit('message', 'a', 1);
  assert.deepEqual([seen, logged], [['a', 1], []]);
});

test('what is thrown at once', () => {
  const emitter = new EventEmitter();
  const boom = () => {
    throw new Error('boom');
  };
  emitter.on('message', bounded(logger, 'message', boom));
  assert.equal(emitter.emit('message'), true);
  assert.deepEqual(logged, [[{ error: 'boom' }, 'message failed']]);
});

test('what a promise of it rejects with, later', async () => {
  bounded(logger, 'message', () => Promise.reject(new Error('late')))();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(logged, [[{ error: 'late' }, 'message failed']]);
});

test('what is no Error', () => {
  const boom = () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- libraries do
    throw 'text';
  };
  bounded(logger, 'message', boom)();
  assert.deepEqual(logged, [[{ error: 'text' }, 'message failed']]);
});

test('a server hears every error after it listens; a port that is taken rejects', async () => {
  const server = createServer();
  await listenOn(server, { host: '127.0.0.1', port: 0 }, logger, 'server');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await assert.rejects(listenOn(createServer(), { host: '127.0.0.1', port }, logger, 'other'), {
    code: 'EADDRINUSE',
  });
  for (const message of ['accept EMFILE', 'accept ENFILE']) server.emit('error', new Error(message));
  assert.deepEqual(logged, [
    [{ error: 'accept EMFILE' }, 'server: server error'],
    [{ error: 'accept ENFILE' }, 'server: server error'],
  ]);
  server.close();
  await once(server, 'close');
});
