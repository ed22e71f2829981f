// A profile is mended while the connector runs: what it could not take is replayed without a restart.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';

describe('profiles while the connector runs', { skip: noBroker() }, () => {
  let connector: TestConnector;
  let folder = '';
  const profile = () => join(folder, 'config/profiles/ph-json.yaml');
  const right = readFileSync('config/profiles/ph-json.yaml', 'utf8');
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'smart-dairy-config-'));
    for (const part of ['profiles', 'metrics.yaml'])
      cpSync(join('config', part), join(folder, 'config', part), { recursive: true });
    rmSync(profile());
    connector = await startConnector({ folder });
  });
  after(async () => {
    await connector.drop();
    rmSync(folder, { recursive: true });
  });
  const replay = () => ask(connector, '/api/v1/dead-letters/replay', { body: { all: true } });
  const refused = async () =>
    /^smart_dairy_profiles_refused (\d)$/m.exec((await ask(connector, '/metrics')).text)?.[1];

  it('a wrong one is refused with its place and changes nothing, the mended one brings the data in', async () => {
    const payload = { timestamp: new Date().toISOString(), ph: 6.67, temperature: 20.5 };
    const topic = `dairy/${connector.farm}/ph/p1/data`;
    await connector.mqtt.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
    const letters = () => connector.query('SELECT reason FROM iot.dead_letter WHERE replayed_at IS NULL');
    await eventually('the dead letter', async () => (await letters()).length === 1);

    writeFileSync(profile(), `${right}\ncolour: blue\n`);
    const wrong = await replay();
    assert.equal(wrong.status, 422, wrong.text);
    assert.match(
      String(wrong.body['detail']),
      /nothing was replayed: config\/profiles\/ph-json\.yaml:\d+:\d+: .*colour/,
    );
    assert.equal(await refused(), '1');
    assert.match((await ask(connector, '/api/v1/status')).text, /ph-json\.yaml:\d+:\d+/);
    assert.equal((await letters()).length, 1);

    // With a metric that nobody has heard of until now.
    appendFileSync(
      join(folder, 'config/metrics.yaml'),
      "  acidity_test: { unit: '[pH]', kind: gauge, min: 0, max: 14, description: For a test }\n",
    );
    writeFileSync(profile(), right.replaceAll(/\b(m|metric): ph,/g, '$1: acidity_test,'));
    const taken = await replay();
    assert.equal(taken.body['taken'], 1, taken.text);
    assert.equal(await refused(), '0');
    assert.deepEqual(
      await connector.query(`SELECT metric FROM iot.sensor_data WHERE metric = 'acidity_test'`),
      [{ metric: 'acidity_test' }],
    );
  });

  it('a change is seen without being asked for, and SIGHUP ends nothing', async () => {
    const loaded = () => connector.log().split('profiles and metrics loaded again').length - 1;
    const before = loaded();
    writeFileSync(profile(), right);
    connector.signal('SIGHUP');
    await eventually('the change is seen', () => Promise.resolve(loaded() > before));
    assert.equal((await connector.get('/health/live')).status, 200);
    writeFileSync(profile(), `# mended again\n${right}`);
    await eventually('the next is seen too', () => Promise.resolve(loaded() > before + 1));
  });
});
