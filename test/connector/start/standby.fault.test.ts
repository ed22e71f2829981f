// Two connector processes on the real broker and database: one leads, the other replaces it and nothing is lost or doubled.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { audit, startLoad, type Load, type LoadOptions } from '../../support/load.ts';
import { startMember, type Member } from '../../support/member.ts';
import { noBroker } from '../../support/stack.ts';

const size: LoadOptions = { meters: 20, milkingsPerMeter: 10, readingsPerMilking: 98, pauseMs: 10 };
const taking = ['ready', 'degraded'];

describe('hot standby', { skip: noBroker() }, () => {
  let connector: TestConnector;
  let leader: Member;
  let standby: Member;
  let load: Load;

  before(async () => {
    // Only its database, broker account and configuration are of use here: the processes under test are the members.
    connector = await startConnector();
    await connector.stop();
    leader = await startMember(connector);
    await leader.waitFor(taking);
    standby = await startMember(connector);
    await standby.waitFor(['standby']);
  });
  after(async () => {
    await Promise.all([leader.end(), standby.end()]);
    await connector.drop();
  });

  const sent = (share: number) =>
    eventually(`${share * 100} % published`, () => Promise.resolve(load.sent() >= load.total * share));

  /** From `event` to the moment when the other process has committed messages of its own. */
  async function takeover(t: TestContext, next: Member, event: string): Promise<void> {
    const startedAt = performance.now();
    await next.waitFor(taking);
    const ready = performance.now() - startedAt;
    const probe = `dairy/${connector.farm}/temperature/probe/data`;
    await eventually('it commits', async () => {
      // On a slow machine the load may be over by now.
      await connector.mqtt.publishAsync(probe, '{"v":1,"points":[{"m":"temperature","v":4}]}', { qos: 1 });
      return ((await next.counts())['messages_received'] ?? 0) > 0;
    });
    const committed = performance.now() - startedAt;
    t.diagnostic(
      `${event}: takes messages after ${ready.toFixed(0)} ms, first commit ${committed.toFixed(0)} ms`,
    );
    assert.ok(committed < 60_000);
  }

  it('says in words that it waits, and for whom', async () => {
    // It waits before it has asked for whom.
    await eventually('the leader is known', async () =>
      new RegExp(`standby: .*:${leader.pid} leads`).test(
        (await standby.status())?.checks['mqtt']?.detail ?? '',
      ),
    );
    assert.equal((await standby.status())?.checks['database']?.ok, true);
    assert.equal((await standby.counts())['messages_received'], 0);
  });

  it('takes over from a leader that is killed under load', async (t) => {
    load = startLoad(connector, size);
    await sent(0.2);
    await leader.stop('SIGKILL');
    await takeover(t, standby, 'kill -9');
    leader = standby;
    standby = await startMember(connector);
    await standby.waitFor(['standby']);
  });

  it('takes over from a leader that freezes, which ends when it wakes up', async (t) => {
    await sent(0.5);
    process.kill(leader.pid, 'SIGSTOP');
    await takeover(t, standby, 'SIGSTOP');
    process.kill(leader.pid, 'SIGCONT');
    assert.equal(await leader.exited, 1);
    assert.match(leader.log(), /another connector leads now/);
    leader = standby;
    standby = await startMember(connector);
    await standby.waitFor(['standby']);
  });

  it('goes on by itself, here or there, when the lock’s connection is cut', async (t) => {
    await sent(0.8);
    const cut = await connector.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'smart-dairy-leader' AND datname = current_database()
         AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)`,
    );
    assert.equal(cut.length, 1);
    await eventually('one of them takes messages', async () => {
      const states = await Promise.all([leader.status(), standby.status()]);
      return states.filter((state) => taking.includes(state?.status ?? '')).length === 1;
    });
    const [one, other] = [await leader.status(), await standby.status()];
    t.diagnostic(`old leader: ${one?.status ?? 'ended'}, standby: ${other?.status ?? 'ended'}`);
  });

  it('has lost nothing and doubled nothing', async (t) => {
    await load.done;
    t.diagnostic(await audit(connector, size));
  });
});
