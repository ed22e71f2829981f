// What a broker says with MQTT 5: what it refuses, and who has taken a session over.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import type { Settlement } from '../../../gateways/shared/link.ts';
import { connectLink } from '../../../gateways/shared/mqtt.ts';
import { createSessionWatch } from '../../../gateways/shared/session-watch.ts';
import { anyBroker, until, type Broker } from '../support/broker.ts';

const noReasons = (broker: Broker) =>
  broker.name === 'stack' ? false : 'no Mosquitto: npm test -- test/gateways/shared/link';

function linkTo(t: TestContext, broker: Broker, clientId: string) {
  const { url, username, password } = broker;
  const link = connectLink({ url, username, password, clientId, logger: pino({ level: 'silent' }) });
  const troubles = new Map<string, string>();
  link.onTrouble((what, detail) => {
    if (detail === undefined) troubles.delete(what);
    else troubles.set(what, detail);
  });
  t.after(() => link.close());
  return { link, troubles };
}

test('a message that the broker refuses is not acknowledged, and its topic and reason are named', async (t) => {
  const broker = await anyBroker();
  t.after(() => broker.stop());
  const skip = noReasons(broker);
  if (skip !== false) return t.skip(skip);
  const { link, troubles } = linkTo(t, broker, `link-refused-${process.pid}`);
  await until('connected', () => link.isReady());
  const settled: Settlement[] = [];
  link.publish('nobody/may/write/here', 'x', (how) => settled.push(how));
  link.publish('dairy/f/ph/u/data', '{}', (how) => settled.push(how));
  await until('both answered', () => settled.length === 2);
  assert.deepEqual(settled, [{ refused: 'Not authorized (0x87)' }, 'acknowledged']);
  assert.deepEqual(
    [...troubles],
    [['publish/nobody/may/write/here', 'the broker refuses nobody/may/write/here: Not authorized (0x87)']],
  );
  assert.equal(link.counts().refused, 1);
});

test('two clients with one id are told why they lose their connections', async (t) => {
  const broker = await anyBroker();
  t.after(() => broker.stop());
  const skip = noReasons(broker);
  if (skip !== false) return t.skip(skip);
  const id = `link-twice-${process.pid}`;
  const first = linkTo(t, broker, id);
  await until('connected', () => first.link.isReady());
  const second = linkTo(t, broker, id);
  await until('told', () => first.troubles.has('session'));
  assert.match(first.troubles.get('session') ?? '', /another gateway run with the same uid/);
  assert.ok(first.link.counts().takenOver > 0);
  assert.equal(second.troubles.size, 0);
});

test('without a reason, losing the connection again and again is suspicious, and waits grow', () => {
  const told: (string | undefined)[] = [];
  const watch = createSessionWatch('gw', pino({ level: 'silent' }), (detail) => told.push(detail));
  for (let n = 0; n < 3; n++) {
    watch.connected();
    watch.lost();
  }
  assert.equal(told.length, 0);
  assert.ok(watch.reconnectMs() <= 1500);
  for (let n = 0; n < 6; n++) {
    watch.connected();
    watch.lost();
  }
  assert.match(told.at(-1) ?? '', /same uid/);
  assert.ok(watch.reconnectMs() > 10_000);
  watch.close();
});
