// Dead letters listed, looked at and replayed after the profile was mended: over REST and from the terminal.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';

describe('dead letters', { skip: noBroker() }, () => {
  let connector: TestConnector;
  before(async () => {
    connector = await startConnector({ unknownDevices: 'reject' });
  });
  after(() => connector.drop());

  const at = new Date(Date.now() - 60_000).toISOString();
  const topic = (uid: string) => `dairy/${connector.farm}/temperature/${uid}/data`;
  const publish = (uid: string, payload: string | Buffer) =>
    connector.mqtt.publishAsync(topic(uid), payload, { qos: 1 });
  const letters = async (query: string) =>
    (await ask(connector, `/api/v1/dead-letters?${query}`)).body as unknown as {
      id: number;
      topic: string;
      reason: string;
      replays: number;
      replayed_at: string | null;
    }[];
  const arrived = (count: number) =>
    eventually(`${count} dead letters`, async () => (await letters('limit=1000')).length === count);
  const cli = (...args: string[]) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const env = { ...process.env, CONNECTOR_URL: connector.url, CONNECTOR_TOKEN: connector.token };
      execFile(
        process.execPath,
        ['scripts/ops/dead-letters/main.ts', ...args],
        { env },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
      );
    });
  const readings = (uid: string) =>
    connector.query<{ value: number; time: Date }>(
      'SELECT value, time FROM iot.sensor_data WHERE device_uid = $1 ORDER BY time',
      [uid],
    );

  it('are listed by filter, and shown with their payload', async () => {
    await publish('t1', JSON.stringify({ v: 1, at, points: [{ m: 'temperature', v: 4.5 }] }));
    await publish('t2', Buffer.from([0x7b, 0xff, 0x00]));
    await publish('t3', `{"v":1,"filler":"${'x'.repeat(100_000)}"}`);
    await arrived(3);
    const [third, second, first] = await letters('limit=3');
    assert.deepEqual([first?.topic, second?.topic, third?.topic], [topic('t1'), topic('t2'), topic('t3')]);
    assert.deepEqual(
      (await letters('reason=NOT REGISTERED')).map(({ id }) => id),
      [first?.id],
    );
    assert.deepEqual(
      (await letters(`topic=${topic('t2')}`)).map(({ id }) => id),
      [second?.id],
    );
    assert.deepEqual(
      (await letters(`cursor=${second?.id ?? 0}`)).map(({ id }) => id),
      [first?.id],
    );
    assert.deepEqual(await letters('start=2999-01-01T00:00:00Z'), []);
    const shown = (await ask(connector, `/api/v1/dead-letters/${second?.id ?? 0}`)).body;
    assert.deepEqual(
      [shown['payload_base64'], shown['is_cut']],
      [Buffer.from([0x7b, 0xff, 0x00]).toString('base64'), false],
    );
    const cut = (await ask(connector, `/api/v1/dead-letters/${third?.id ?? 0}`)).body;
    assert.deepEqual(
      [cut['is_cut'], cut['payload_size'], String(cut['payload']).length],
      [true, 100_019, 65_536],
    );
  });

  it('one bad row of 10,000 costs one, and is in after the mend', async () => {
    // Stands for the mended profile: the device is known from now on, so that its rows can be taken.
    const before = (await letters('limit=1000')).length;
    await connector.query(`INSERT INTO iot.farm (code, name) VALUES ($1, $1) ON CONFLICT DO NOTHING`, [
      connector.farm,
    ]);
    const register = (uid: string) =>
      connector.query(
        `INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
         SELECT id, $2, 'temperature', $2, 'registered' FROM iot.farm WHERE code = $1`,
        [connector.farm, uid],
      );
    await register('t9');
    await connector.stop();
    await connector.start();
    const moment = Date.now() - 3_600_000;
    const row = (index: number, uid = 't9') => ({
      farm_id: connector.farm,
      device_uid: uid,
      device_type: 'temperature',
      metric_name: 'temperature',
      metric_value: 4,
      timestamp: new Date(moment + index * 100).toISOString(),
    });
    const rows = Array.from({ length: 10_000 }, (_, index) => row(index));
    rows[5_000] = row(5_000, 't10');
    const answer = await ask(connector, '/api/v1/ingest/sensor/batch', { body: { readings: rows } });
    assert.deepEqual([answer.body['accepted'], answer.body['rejected']], [9_999, 1]);
    assert.equal((await letters('limit=1000')).length, before + 1);
    const [letter] = await letters('limit=1');
    assert.match(letter?.reason ?? '', /t10 is not registered/);

    const replay = (body: unknown) => ask(connector, '/api/v1/dead-letters/replay', { body });
    const early = await replay({ ids: [letter?.id] });
    assert.deepEqual([early.body['taken'], early.body['dead']], [0, 1]);
    assert.equal((await letters('limit=1000')).length, before + 1, 'a replay makes no second one');
    await register('t10');
    await connector.stop();
    await connector.start();
    const late = await replay({ ids: [letter?.id] });
    assert.deepEqual([late.body['taken'], late.body['dead']], [1, 0], late.text);
    assert.deepEqual(
      (await readings('t10')).map(({ value, time }) => [value, time.getTime()]),
      [[4, moment + 500_000]],
    );
    const [marked] = await letters('limit=1');
    assert.deepEqual([marked?.replays, marked?.replayed_at === null], [2, false]);
    const again = await replay({ ids: [letter?.id] });
    assert.match(again.text, /"rejected":1.*"status":"rejected".*was taken on/);
    assert.equal(again.body['refused'], 1, 'the former name');
    assert.equal((await replay({})).status, 400, 'nothing chosen is not everything');
  });

  it('a row that REST refused is a row again when it is replayed', async () => {
    const body = {
      farm_id: connector.farm,
      device_uid: 't9',
      metric_name: 'no_such_metric',
      metric_value: 1,
      timestamp: at,
    };
    assert.equal((await ask(connector, '/api/v1/ingest/sensor', { body })).status, 422);
    const [letter] = await letters('limit=1');
    assert.equal(letter?.topic, 'api/v1/ingest/sensor');
    const still = await ask(connector, '/api/v1/dead-letters/replay', { body: { ids: [letter.id] } });
    assert.match(still.text, /"dead":1.*no_such_metric/);
    // Stands for the mended catalogue: the row now names a metric that is in it.
    const mended = JSON.stringify({ ...body, metric_name: 'humidity' });
    await connector.query('UPDATE iot.dead_letter SET payload = $2, payload_size = $3 WHERE id = $1', [
      letter.id,
      Buffer.from(mended),
      mended.length,
    ]);
    const taken = await ask(connector, '/api/v1/dead-letters/replay', { body: { ids: [letter.id] } });
    assert.match(taken.text, /"taken":1/);
  });

  it('from the terminal', async () => {
    const listed = await cli('list', '--reason', 'not registered');
    assert.equal(listed.code, 0, listed.text);
    assert.match(listed.text, /temperature\/t1\/data\n {4}device .*\/t1 is not registered/);
    const id = /^(\d+) {2}/m.exec(listed.text)?.[1] ?? '';
    const shown = await cli('show', id);
    assert.match(shown.text, /payload:\n\{"v":1,"at":/);
    const all = await cli('replay', '--all');
    assert.equal(all.code, 1);
    assert.match(all.text, /only 65536 of its 100019 bytes are kept/);
    assert.match(all.text, /0 taken, 2 still dead, 1 rejected/);
    assert.equal((await cli('show', '99999')).code, 1);
    assert.equal((await cli('replay')).code, 2);
    assert.match(
      (await cli('nonsense')).text,
      /^unknown command 'nonsense'; known: list, show, replay\n\nUsage/,
    );
  });
});
