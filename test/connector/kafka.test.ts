// Bridge, log and a group of two connectors on a real Kafka: nothing lost, nothing twice, whoever is killed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { noKafka, startKafka, type Kafka } from '../../scripts/kafka/kafka.ts';
import { eventually, startConnector, type TestConnector } from '../support/connector.ts';
import { audit, startLoad, type LoadOptions } from '../support/load.ts';
import { startMember, type Member } from '../support/member.ts';
import { noBroker } from '../support/stack.ts';

const size: LoadOptions = { meters: 40, milkingsPerMeter: 5, readingsPerMilking: 98, pauseMs: 10 };
const skip = noBroker() || (await noKafka());
const taking = ['ready', 'degraded'];

describe('a log between broker and connectors', { skip }, () => {
  let kafka: Kafka;
  let connector: TestConnector;
  let bridge: Member;
  const members: Member[] = [];
  const configs = { bridge: '', member: '' };

  before(async () => {
    kafka = await startKafka();
    const yaml = (role: string) =>
      `role: ${role}\nkafka: { brokers: '${kafka.brokers}', partitions: 8, notify: true }`;
    connector = await startConnector();
    await connector.stop();
    const folder = dirname(connector.config);
    for (const [name, role] of [
      ['bridge', 'bridge'],
      ['member', 'connector'],
    ] as const) {
      configs[name] = join(folder, `${name}.yaml`);
      const base = connector.configText.replace(
        'intake:',
        name === 'member' ? 'intake:\n  source: kafka' : 'intake:',
      );
      writeFileSync(configs[name], base + yaml(role));
    }
    bridge = await startMember(connector, { config: configs.bridge });
    await bridge.waitFor(['ready']);
    for (let count = 0; count < 2; count++)
      members.push(await startMember(connector, { config: configs.member }));
    for (const member of members) await member.waitFor(taking);
  });
  after(async () => {
    await Promise.all([bridge, ...members].map((process) => process.stop('SIGKILL')));
    await connector.drop();
    await kafka.stop();
  });

  const partitionsOf = async (member: Member) =>
    Number(/reads (\d+) partitions/.exec((await member.status())?.checks['mqtt']?.detail ?? '')?.[1] ?? 0);

  it('shares the partitions among the members', async () => {
    await eventually('four each', async () => {
      const counts = await Promise.all(members.map(partitionsOf));
      return counts.every((count) => count === 4);
    });
  });

  it('loses nothing and doubles nothing when a member and the bridge are killed under load', async (t) => {
    const [first, second] = members as [Member, Member];
    const load = startLoad(connector, size);
    const sent = (share: number) =>
      eventually(`${share * 100} %`, () => Promise.resolve(load.sent() >= load.total * share));
    await sent(0.25);
    await eventually('both work', async () => {
      const counts = await Promise.all(members.map((member) => member.counts()));
      return counts.every((count) => (count['messages_received'] ?? 0) > 0);
    });
    await first.stop('SIGKILL');
    const killedAt = performance.now();
    await sent(0.5);
    await bridge.stop('SIGKILL');
    bridge = await startMember(connector, { config: configs.bridge });
    await eventually('the other has all partitions', async () => (await partitionsOf(second)) === 8);
    t.diagnostic(
      `kill -9 of a member: the other has its partitions after ${((performance.now() - killedAt) / 1000).toFixed(1)} s`,
    );
    members[0] = await startMember(connector, { config: configs.member });
    await load.done;
    t.diagnostic(await audit(connector, size));
    assert.equal(
      (await Promise.all(members.map(partitionsOf))).reduce((sum, count) => sum + count, 0),
      8,
    );
  });
});
