// Bridge, log and a group of two connectors on a real Kafka: nothing lost, nothing twice, whoever is killed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { joinLog, openLogWriter, type LogWriter } from '../../../connector/sources/kafka-client.ts';
import { logTopics } from '../../../connector/sources/kafka-record.ts';
import { noKafka, startKafka, type Kafka } from '../../../scripts/ops/kafka/kafka.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { audit, startLoad, type LoadOptions } from '../../support/load.ts';
import { startMember, type Member } from '../../support/member.ts';
import { callSigned } from '../../support/odoo-sync.ts';
import { noBroker } from '../../support/stack.ts';

const size: LoadOptions = { meters: 40, milkingsPerMeter: 5, readingsPerMilking: 98, pauseMs: 10 };
const warmUp = 30_000;
const backlog = 150_000;
const skip = noBroker() || (await noKafka());
const secret = 'a-secret-of-this-test-alone';
const taking = ['ready', 'degraded'];

describe('a log between broker and connectors', { skip }, () => {
  /** Filled as things are made: a start that fails must not leave Kafka running. */
  const endings: (() => Promise<unknown>)[] = [];
  let kafka: Kafka;
  let connector: TestConnector;
  let bridge: Member;
  let members: Member[] = [];
  const configs = { bridge: '', member: '' };

  before(async () => {
    kafka = await startKafka();
    endings.push(() => kafka.stop());
    const yaml = (role: string) =>
      `role: ${role}\nkafka: { brokers: '${kafka.brokers}', partitions: 8, notify: true }`;
    connector = await startConnector({ odooYaml: `secret: ${secret}` });
    endings.push(() => connector.drop());
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
    endings.push(() => Promise.all([bridge, ...members].map((process) => process.end())));
    await bridge.waitFor(['ready']);
    for (let count = 0; count < 2; count++)
      members.push(await startMember(connector, { config: configs.member }));
    for (const member of members) await member.waitFor(taking);
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  async function stopMembers(): Promise<void> {
    await Promise.all(members.map((member) => member.stop()));
    members = [];
  }

  /** One reading a message, of many devices. */
  async function append(log: LogWriter, farm: string, count: number): Promise<void> {
    const start = Date.now() - 3_600_000;
    for (let from = 0; from < count; from += 5_000) {
      const entries = Array.from({ length: 5_000 }, (_, index) => {
        const device = `d${(from + index) % 500}`;
        const body = { v: 1, at: start + from + index, points: [{ m: 'temperature', v: 4 }] };
        return {
          topic: logTopics.raw,
          key: `${farm}/${device}`,
          value: Buffer.from(JSON.stringify(body)),
          timestamp: Date.now(),
          headers: { topic: `dairy/${farm}/temperature/${device}/data` },
        };
      });
      await log.append(entries);
    }
  }

  const storedOf = async (farm: string) => {
    const [row] = await connector.query<{ n: string }>(
      `SELECT count(*) AS n FROM iot.reading r JOIN iot.device d ON d.id = r.device_id
       JOIN iot.farm f ON f.id = d.farm_id WHERE f.code = $1`,
      [farm],
    );
    return Number(row?.n);
  };

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

  it('tells other consumers of the log what was stored, and what of it is odd', async () => {
    const topic = `dairy/${connector.farm}/temperature/odd/data`;
    const at = new Date(Date.now() - 60_000).toISOString();
    await connector.mqtt.publishAsync(topic, JSON.stringify({ timestamp: at, temperature: 900 }), { qos: 1 });
    for (const name of [logTopics.processed, logTopics.anomalies]) {
      const told = await firstRecord(name, ({ device_uid: uid }) => uid === 'odd');
      assert.deepEqual(told, {
        v: 1,
        farm: connector.farm,
        device_uid: 'odd',
        device_type: 'temperature',
        at: Date.parse(at),
        points: [{ m: 'temperature', t: Date.parse(at), v: 900, q: 1 }],
      });
    }
  });

  it('any member sends commands to devices, though messages come from the log', async () => {
    const topic = `dairy/${connector.farm}/temperature/odd/commands`;
    const received: string[] = [];
    connector.mqtt.on('message', (_topic, payload) => received.push(payload.toString()));
    await connector.mqtt.subscribeAsync(topic, { qos: 1 });
    const command = { farm: connector.farm, device_uid: 'odd', command: 'reset' };
    for (const [index, member] of members.entries()) {
      // The killed one was started again a moment ago.
      await member.waitFor(taking);
      const order = { ...command, request_id: `r${index}` };
      await eventually('its connection to the broker', async () => {
        const { status, body } = await callSigned(member.url, secret, 'command', order);
        return status === 202 || Promise.reject(new Error(JSON.stringify(body)));
      });
    }
    await eventually('both are there', () => Promise.resolve(received.length === 2));
    assert.deepEqual(
      received.map((text) => (JSON.parse(text) as { id: string }).id),
      ['r0', 'r1'],
    );
    await connector.mqtt.unsubscribeAsync(topic);
  });

  /** The first record of a topic for which `wanted` holds. */
  async function firstRecord(
    topic: string,
    wanted: (body: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    const options = { brokers: [kafka.brokers], clientId: 'test', topic, group: `test-${topic}` };
    const hooks = { onAssigned: () => undefined, onRevoked: () => undefined };
    const reader = await joinLog(options, hooks, createLogger('test', 'silent'));
    const patience = setTimeout(() => void reader.close().catch(() => undefined), 60_000);
    try {
      for await (const { value } of reader.records) {
        const body = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
        if (wanted(body)) return body;
      }
    } finally {
      clearTimeout(patience);
      await reader.close();
    }
    throw new Error(
      `gave up waiting for a record of ${topic}: ${members.map(({ log }) => log().slice(-500)).join()}`,
    );
  }

  const readingsOf = async () => {
    const counts = await Promise.all(members.map((member) => member.counts().catch(() => undefined)));
    return counts.map((count) => count?.['readings_written'] ?? 0);
  };
  const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);

  /** Messages a second of so many members that are warm, have their partitions and find a backlog. */
  async function workOff(log: LogWriter, farm: string, count: number, share: number): Promise<number> {
    await stopMembers();
    while (members.length < count) members.push(await startMember(connector, { config: configs.member }));
    await eventually('each has its partitions', async () =>
      (await Promise.all(members.map(partitionsOf))).every((partitions) => partitions === 8 / count),
    );
    await append(log, `${farm}-before`, warmUp);
    await eventually('warm', async () => (await storedOf(`${farm}-before`)) >= warmUp);
    for (const { pid } of members) process.kill(pid, 'SIGSTOP');
    await append(log, farm, backlog);
    const slowed = members.map((member) => slowDown(member.pid, share));
    const from = sum(await readingsOf());
    const startedAt = performance.now();
    let stored = 0;
    const isNearlyAll = async (): Promise<boolean> => {
      stored = sum(await readingsOf()) - from;
      return stored >= backlog * 0.98;
    };
    // A fifth of a machine that others use too, perhaps under coverage.
    await eventually('nearly all', isNearlyAll, 300_000);
    const rate = Math.round(stored / ((performance.now() - startedAt) / 1000));
    for (const stop of slowed) stop();
    await eventually('the rest', async () => (await storedOf(farm)) >= backlog);
    assert.equal(await storedOf(farm), backlog);
    return rate;
  }

  it('works through a backlog, one member and then two', async (t) => {
    const log = openLogWriter({ brokers: [kafka.brokers], clientId: 'test' });
    try {
      // A member that may run a fifth of the time stands for one on a slower machine of its own.
      for (const share of [1, 0.2]) {
        const one = await workOff(log, `one-${share}`, 1, share);
        const two = await workOff(log, `two-${share}`, 2, share);
        t.diagnostic(`members that run ${share * 100} % of the time: one ${one} messages/s, two ${two}`);
      }
    } finally {
      await log.close();
    }
  });
});

/** Lets a stopped process run for this share of the time, until the result is called. */
function slowDown(pid: number, share: number): () => void {
  const periodMs = 50;
  let timer: NodeJS.Timeout | undefined;
  const run = () => {
    process.kill(pid, 'SIGCONT');
    if (share < 1) timer = setTimeout(hold, periodMs * share);
  };
  const hold = () => {
    process.kill(pid, 'SIGSTOP');
    timer = setTimeout(run, periodMs * (1 - share));
  };
  run();
  return () => {
    clearTimeout(timer);
    process.kill(pid, 'SIGCONT');
  };
}
