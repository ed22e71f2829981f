// Reload of the real process, by SIGHUP and by a changed file: what did not change keeps its connections.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startModbusDevice } from './support/modbus-device.ts';
import { gatewayProcess } from './support/process.ts';
import { startOwnBroker, until, watch } from './support/broker.ts';

test('the same again reconnects nothing, a changed device touches itself, a broken file nothing', async (t) => {
  const broker = await startOwnBroker();
  const eyes = await watch(broker, 'dairy/#');
  const [first, second] = [await startModbusDevice(), await startModbusDevice()];
  const sections = (level: string, stall: string) => `
modbus:
  buses:
    - name: tanks
      host: 127.0.0.1
      port: ${first.port}
      devices:
        - { uid: tank-1, unit: 1, profile: bulk-tank-controller-modbus }
        - { uid: tank-2, unit: 2, profile: bulk-tank-controller-modbus, stall: '${stall}' }
    - name: meters
      host: 127.0.0.1
      port: ${second.port}
      timeout_ms: ${level}
      devices: [{ uid: meter-1, unit: 1, profile: energy-meter-modbus }]
`;
  const gateway = gatewayProcess({ farm: 'farm1', uid: 'gw', broker, sections: sections('500', 'a') });
  t.after(async () => {
    await gateway.drop();
    await eyes.close();
    await first.close();
    await second.close();
    await broker.stop();
  });
  const loaded = (times: number) =>
    until(
      `loaded ${times} times`,
      () => gateway.log().split('configuration loaded again').length === times + 1,
    );
  const said = (uid: string) =>
    eyes.seen.filter(({ topic }) => topic.endsWith(`/${uid}/status`)).map(({ text }) => text);
  const connections = () => [first.connections(), second.connections(), broker.clients()];

  await gateway.start();
  const everything = ['tank-1', 'tank-2', 'meter-1'];
  await until('all online', () => everything.every((uid) => said(uid).length > 0));
  const before = connections();
  assert.deepEqual(before.slice(0, 2), [1, 1]);

  gateway.signal('SIGHUP');
  await loaded(1);
  // The same content, but a newer file: noticed without a signal.
  gateway.configure(sections('500', 'a'));
  await loaded(2);
  assert.deepEqual(connections(), before);
  assert.deepEqual(
    everything.map((uid) => said(uid).length),
    [1, 1, 1],
  );

  gateway.configure(sections('500', 'b'));
  await loaded(3);
  assert.deepEqual(connections(), before, 'a device that changed keeps its line');

  const broken = readFileSync(gateway.file, 'utf8').replace('uid: tank-1, unit: 1', 'uid: tank-1, unti: 1');
  const line = broken.split('\n').findIndex((text) => text.includes('unti')) + 1;
  gateway.configure(broken.slice(broken.indexOf('\nmodbus:')));
  await until('refused', () => gateway.log().includes('the old one stays in force'));
  assert.match(gateway.log(), new RegExp(`gateway\\.yaml:${line}:\\d+`));
  const polls = second.requests.get(1) ?? 0;
  await until('it polls on', () => (second.requests.get(1) ?? 0) > polls);
  assert.deepEqual(connections(), before);

  gateway.configure(sections('600', 'b'));
  await loaded(4);
  await until('the changed line is new', () => second.connections() === 2);
  assert.deepEqual([first.connections(), broker.clients()], [before[0], before[2]]);
  assert.equal(await gateway.stop(), 0);
});
