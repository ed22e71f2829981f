// A message whose handler throws, at once or later, of any QoS: logged, and the link lives and takes the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { connectLink } from '../../../gateways/shared/mqtt.ts';
import { startOwnBroker, until } from '../support/broker.ts';

test('handlers that throw', async () => {
  const broker = await startOwnBroker();
  const logged: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line) => logged.push(line) });
  const link = connectLink({
    url: broker.url,
    username: undefined,
    password: undefined,
    clientId: 'gw',
    logger,
  });
  const taken: string[] = [];
  link.subscribe('now', () => {
    throw new Error('thrown at once');
  });
  link.subscribe('later', () => Promise.reject(new Error('rejected later')));
  link.subscribe('good', (topic) => void taken.push(topic));
  await until('ready', () => link.isReady());
  const client = await connectAsync(broker.url);
  for (const qos of [0, 1] as const)
    for (const topic of ['now', 'later', 'good']) await client.publishAsync(topic, 'x', { qos });
  await until('taken', () => taken.length === 2 && logged.length === 4);
  assert.deepEqual(logged.map((line) => /thrown at once|rejected later/.exec(line)?.[0]).sort(), [
    'rejected later',
    'rejected later',
    'thrown at once',
    'thrown at once',
  ]);
  await client.endAsync();
  await link.close();
  await broker.stop();
});
