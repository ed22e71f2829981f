// Data over REST ends in the same tables as data over MQTT, row by row, on every edition: the connector's process.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { noBroker } from '../../support/stack.ts';
import { ask, type Answer } from './api-client.ts';

for (const plain of [false, true]) {
  describe(plain ? 'plain PostgreSQL' : 'TimescaleDB', { skip: noBroker() }, () => {
    let connector: TestConnector;
    before(async () => {
      connector = await startConnector({ plain });
    });
    after(() => connector.drop());

    const minute = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    const at = (index: number) => new Date(minute + index * 1_000).toISOString();
    const row = (uid: string, changes: Record<string, unknown> = {}) => ({
      farm_id: connector.farm,
      device_uid: uid,
      device_type: 'temperature',
      metric_name: 'temperature',
      metric_value: 4,
      timestamp: at(0),
      ...changes,
    });
    const batch = (readings: unknown[], headers = {}) =>
      ask(connector, '/api/v1/ingest/sensor/batch', { body: { readings }, headers });
    const statuses = (answer: Answer) =>
      (answer.body['results'] as { status: string }[]).map(({ status }) => status);
    const stored = (uid: string) =>
      connector.query<{ metric: string; value: number; quality: number; time: Date }>(
        'SELECT metric, value, quality, time FROM iot.sensor_data WHERE device_uid = $1 ORDER BY time, metric',
        [uid],
      );

    it('says of each row what became of it', async () => {
      const first = await batch([row('a1'), row('a1', { timestamp: at(1) }), row('a2')]);
      assert.equal(first.status, 200, first.text);
      assert.deepEqual(first.body, {
        status: 'success',
        count: 3,
        accepted: 3,
        duplicates: 0,
        rejected: 0,
        results: [{ status: 'accepted' }, { status: 'accepted' }, { status: 'accepted' }],
      });
      const second = await batch([
        row('a1', { timestamp: at(2) }),
        row('a1', { metric_value: 5 }),
        row('a1', { metric_name: 'warmth' }),
        row('a1', { timestamp: at(2), metric_value: 7 }),
        row('a2', { timestamp: at(1) }),
        'no row',
        row('a1', { timestamp: new Date(Date.now() - 100 * 86_400_000).toISOString() }),
        row('a1', { metric_unit: 'kg' }),
        row('no/such'),
        row('a9', { device_type: undefined }),
      ]);
      assert.deepEqual(statuses(second), [
        'accepted',
        'conflict',
        'rejected',
        'conflict',
        'accepted',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
      ]);
      const reasons = (second.body['results'] as { status: string; reason?: string }[]).flatMap(
        ({ status, reason }) => (status === 'rejected' ? (reason ?? []) : []),
      );
      assert.equal(second.body['conflicts'], 2);
      for (const [index, part] of [
        "metric 'warmth' is not in the catalogue",
        'expected an object',
        'is further back than data is kept',
        "unit 'kg' does not convert to",
        'is not a device uid',
        'its type is needed',
      ].entries())
        assert.ok(reasons[index]?.includes(part), `${reasons[index] ?? 'none'} does not say: ${part}`);
      assert.deepEqual(
        (await stored('a1')).map(({ value }) => value),
        [5, 4, 7],
        'the larger of two values for one moment counts',
      );
      const letters = await connector.query('SELECT reason FROM iot.dead_letter ORDER BY id');
      assert.deepEqual(
        letters.map(({ reason }) => reason),
        reasons,
        'a rejected row is a dead letter',
      );
    });

    it('takes short names, other units, times of all kinds; values out of range are marked', async () => {
      const { farm } = connector;
      const answer = await batch([
        {
          farm,
          device_uid: 'b1',
          device_type: 'temperatures',
          metric: 'temperature',
          value: 50,
          unit: '[degF]',
          timestamp: at(0),
        },
        {
          farm,
          device_uid: 'b1',
          metric: 'temperature',
          value: 500,
          timestamp: minute + 1_000,
          battery_level: 70,
          signal_strength: -60,
        },
        { farm, device_uid: 'b1', metric: 'temperature', value: 6 },
        { farm, device_uid: 'b1', metric: 'temperature', value: 6 },
      ]);
      assert.deepEqual(statuses(answer).length, 4, answer.text);
      assert.ok(
        statuses(answer).every((status) => status === 'accepted'),
        answer.text,
      );
      const rows = await stored('b1');
      assert.deepEqual(
        rows.map(({ metric, value, quality }) => [metric, value, quality]),
        [
          ['temperature', 10, 0],
          ['battery', 70, 0],
          ['rssi', -60, 0],
          ['temperature', 500, 1],
          ['temperature', 6, 0],
          ['temperature', 6, 0],
        ],
      );
      const [device] = await connector.query(
        `SELECT d.device_type, d.state FROM iot.device d WHERE d.device_uid = 'b1'`,
      );
      assert.deepEqual(device, { device_type: 'temperature', state: 'discovered' });
    });

    it('marks jumps and stuck sensors in rows too, within a batch and from batch to batch', async () => {
      const jump = await batch([
        row('q1'),
        row('q1', { metric_value: 30, timestamp: at(60) }),
        row('q2', { metric_value: 30, timestamp: at(60) }),
      ]);
      assert.equal(jump.body['accepted'], 3, jump.text);
      await batch([row('q1', { metric_value: 31, timestamp: at(120) })]);
      await batch([row('q1', { metric_value: 4, timestamp: at(180) })]);
      const qualities = async (uid: string) => (await stored(uid)).map(({ quality }) => quality);
      assert.deepEqual(await qualities('q1'), [0, 4, 0, 4]);
      assert.deepEqual(await qualities('q2'), [0], 'another device');
      const dayMs = 86_400_000;
      const hours = Array.from({ length: 28 }, (_, index) =>
        row('q3', { timestamp: new Date(minute - 2 * dayMs + index * 3_600_000).toISOString() }),
      );
      await batch(hours.slice(0, 10));
      await batch(hours.slice(10));
      assert.deepEqual(await qualities('q3'), [...Array<number>(25).fill(0), 5, 5, 5]);
    });

    it('stores what REST and MQTT both say once', async () => {
      await connector.mqtt.publishAsync(
        `dairy/${connector.farm}/temperature/c1/data`,
        JSON.stringify({ v: 1, at: at(0), points: [{ m: 'temperature', v: 4 }] }),
        { qos: 1 },
      );
      await eventually('the MQTT reading', async () => (await stored('c1')).length === 1);
      assert.deepEqual(statuses(await batch([row('c1')])), ['duplicate']);
    });

    it('takes 10,000 rows, and refuses more', async () => {
      const readings = Array.from({ length: 10_000 }, (_, index) =>
        row(`d${index % 50}`, { timestamp: at(index % 3_000) }),
      );
      readings[7] = row('d1', { metric_name: 'warmth' });
      const answer = await batch(readings);
      const { accepted, duplicates, rejected } = answer.body;
      assert.equal(rejected, 1);
      const [count] = await connector.query(
        `SELECT count(*)::int AS n FROM iot.sensor_data WHERE device_uid LIKE 'd%'`,
      );
      assert.equal(count?.['n'], accepted);
      assert.equal(Number(accepted) + Number(duplicates), 9_999);
      assert.equal((await batch([...readings, row('d1')])).status, 400);
      assert.equal((await batch([])).status, 400);
    });

    it('a row that the database refuses costs only itself, in 10,000 of a few devices; replayed it comes in', async () => {
      const { query } = connector;
      await batch([row('r0', { timestamp: at(-1) })]);
      // A partition that is made afterwards would lack the constraint; the one of today is there now.
      await query('ALTER TABLE iot.reading ADD CONSTRAINT no_such_value CHECK (value <> 17.25)');
      const bad = 6_173;
      const readings = Array.from({ length: 10_000 }, (_, index) =>
        row(`r${index % 3}`, {
          timestamp: new Date(minute + index).toISOString(),
          metric_value: index === bad ? 17.25 : index % 17,
        }),
      );
      const answer = await batch(readings);
      assert.deepEqual(
        [answer.body['accepted'], answer.body['duplicates'], answer.body['rejected']],
        [9_999, 0, 1],
        answer.text.slice(0, 500),
      );
      const results = answer.body['results'] as { status: string; reason?: string }[];
      assert.equal(results[bad]?.status, 'rejected');
      assert.match(results[bad].reason ?? '', /no_such_value/);
      const letters = await query<{ id: number; topic: string; payload: string }>(
        `SELECT id::int, topic, convert_from(payload, 'UTF8') AS payload FROM iot.dead_letter WHERE reason LIKE '%no_such_value%'`,
      );
      assert.equal(letters.length, 1);
      // A thousand of them a second: each is marked as changing too fast.
      assert.deepEqual((JSON.parse(letters[0]?.payload ?? '') as { points: unknown }).points, [
        { m: 'temperature', t: minute + bad, v: 17.25, q: 4 },
      ]);

      await query('ALTER TABLE iot.reading DROP CONSTRAINT no_such_value');
      const replayed = await ask(connector, '/api/v1/dead-letters/replay', {
        body: { ids: [letters[0]?.id] },
      });
      assert.equal(replayed.body['taken'], 1, replayed.text);
      const again = await batch(readings);
      assert.equal(again.body['duplicates'], 10_000);
    });

    it('one value: accepted, duplicate, or the reason', async () => {
      const one = (body: unknown) => ask(connector, '/api/v1/ingest/sensor', { body });
      assert.deepEqual((await one(row('e1'))).body, { status: 'accepted' });
      assert.deepEqual((await one(row('e1'))).body, { status: 'duplicate' });
      const wrong = await one(row('e1', { metric_name: 'temprature' }));
      assert.equal(wrong.status, 422);
      assert.match(String(wrong.body['detail']), /did you mean 'temperature'/);
      assert.equal((await one('{"a":')).status, 400);
    });

    it('a finished milking becomes the record that MQTT would have made', async () => {
      const send = (body: unknown, query = `?farm=${connector.farm}`) =>
        ask(connector, `/api/v1/ingest/milk-production${query}`, { body });
      assert.deepEqual((await send(milkRecord())).body, {
        status: 'accepted',
        farm: connector.farm,
        device_uid: 'meter_001',
      });
      const [session] = await connector.query<{ record: Record<string, unknown> }>(
        `SELECT record FROM iot.milk_session WHERE session_key = 's1'`,
      );
      assert.equal(session?.record['yield_kg'], 10.3);
      assert.equal(session.record['device_uid'], 'meter_001');
      const flat = {
        farm_id: connector.farm,
        milk_meter_id: 12,
        animal_id: 3,
        session_id: 'flat-1',
        yield_kg: 9.5,
        fat_percent: 4,
        session_end: at(0),
      };
      assert.equal((await send(flat, '')).body['status'], 'accepted');
      assert.equal((await send(flat, '')).body['status'], 'duplicate');
      const twin = { ...flat, session_id: 'flat-twin', animal_id: 4 };
      assert.equal((await send(twin, '')).body['status'], 'accepted', 'another milking of that moment');
      assert.equal((await send(twin, '')).body['status'], 'duplicate');
      const triplets = await Promise.all(
        ['t1', 't1', 't2'].map((id) => send({ ...flat, session_id: `flat-${id}` }, '')),
      );
      assert.deepEqual(triplets.map(({ body }) => body['status']).toSorted(), [
        'accepted',
        'accepted',
        'duplicate',
      ]);
      assert.equal((await send({ ...flat, farm_id: undefined }, '')).status, 400);
      const wrong = await send({ ...flat, yield_kg: 1_000, session_id: 'flat-2' }, '');
      assert.equal(wrong.status, 422);
      assert.match(String(wrong.body['detail']), /outside 0…100 kg/);
      const rows = await connector.query(
        `SELECT record FROM iot.milk_session WHERE session_key LIKE 'flat%'`,
      );
      assert.equal(rows.length, 4);
    });

    it('a flat milking needs no more than the customer’s service asked for; null means not said', async () => {
      const flat = {
        milk_meter_id: 7,
        animal_id: 12,
        farm_id: connector.farm,
        yield_kg: 9.5,
        session_end: null,
      };
      for (const [session, time] of [
        ['f1', { timestamp: at(0), fat_percent: 3.8, session_start: null, milking_type: 'morning' }],
        ['f2', {}],
      ] as const) {
        const body = { ...flat, session_id: session, ...time };
        const answer = await ask(connector, '/api/v1/ingest/milk-production', { body });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body['device_uid'], '7');
      }
      const ends = await connector.query<{ ended_at: string }>(
        `SELECT record ->> 'ended_at' AS ended_at FROM iot.milk_session s JOIN iot.device d ON d.id = s.device_id
         WHERE d.device_uid = '7' ORDER BY 1`,
      );
      assert.equal(ends.length, 2);
      assert.equal(Date.parse(ends[0]?.ended_at ?? ''), Date.parse(at(0)));
      assert.ok(Math.abs(Date.parse(ends[1]?.ended_at ?? '') - Date.now()) < 60_000);
    });

    it('an idempotency key gets the first answer again', async () => {
      const headers = { 'idempotency-key': 'key-1' };
      const first = await batch([row('f1')], headers);
      const again = await batch([row('f1')], headers);
      assert.deepEqual([again.status, again.body], [200, first.body]);
      assert.deepEqual(statuses(again), ['accepted'], 'not asked anew: that would be a duplicate');
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
      assert.equal((await batch([row('f2')], headers)).status, 422, 'the same key with another body');
      const wrong = { body: row('f1', { metric_name: 'warmth' }), headers: { 'idempotency-key': 'key-2' } };
      const refused = await ask(connector, '/api/v1/ingest/sensor', wrong);
      const refusedAgain = await ask(connector, '/api/v1/ingest/sensor', wrong);
      assert.deepEqual([refused.status, refusedAgain.status], [422, 422]);
      assert.deepEqual(refusedAgain.body, refused.body);
      assert.equal((await batch([row('f1')], { 'idempotency-key': 'x'.repeat(256) })).status, 400);
      await connector.query(`UPDATE iot.idempotency_key SET created_at = now() - INTERVAL '25 hours'`);
      assert.deepEqual(
        statuses(await batch([row('f1')], headers)),
        ['duplicate'],
        'a day later it is forgotten',
      );
      await connector.query(`UPDATE iot.idempotency_key SET status = NULL, body = NULL`);
      const running = await batch([row('f1')], headers);
      assert.equal(running.status, 409);
      assert.equal(running.headers.get('retry-after'), '1');
    });

    it('of the same key at the same time one is worked on', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => batch([row('g1')], { 'idempotency-key': 'key-3' })),
      );
      assert.equal(answers.filter(({ status }) => status !== 200 && status !== 409).length, 0);
      const accepted = answers.filter((answer) => answer.status === 200);
      assert.ok(accepted.every((answer) => statuses(answer)[0] === 'accepted'));
      assert.equal((await stored('g1')).length, 1);
    });

    it('the log names the batch of each dead letter, and no secrets', async () => {
      await batch([row('l1'), row('l1', { metric_name: 'warmth' })]);
      const [letter] = await connector.query<{ batch_id: string }>(
        'SELECT batch_id FROM iot.dead_letter ORDER BY id DESC LIMIT 1',
      );
      assert.match(letter?.batch_id ?? '', /^[0-9a-f]{8}-\d+$/);
      const named = () =>
        connector
          .log()
          .split('\n')
          .find((line) => line.includes(`"batch_id":"${letter?.batch_id}"`) && line.includes('dead letters'));
      await eventually('the log line', () => Promise.resolve(named() !== undefined));
      assert.match(named() ?? '', /"dead_letters":1,/);
      const { password } = new URL(connector.databaseUrl);
      for (const secret of [connector.token, password, connector.env['MQTT_PASSWORD'] ?? ''])
        assert.ok(secret === '' || !connector.log().includes(secret));
    });

    it('a row that no database keeps costs the others nothing', async () => {
      const deep = '['.repeat(50_000) + ']'.repeat(50_000);
      const rows = [row('n1'), row('n\u0000'), row('n2', { metric_name: '\ud800' })].map((each) =>
        JSON.stringify(each),
      );
      const body = `{"readings":[${[...rows, deep, `{"device_uid":${deep}}`].join(',')}]}`;
      const answer = await ask(connector, '/api/v1/ingest/sensor/batch', { body });
      assert.equal(answer.status, 200, answer.text.slice(0, 500));
      assert.deepEqual(statuses(answer), ['accepted', ...Array.from({ length: 4 }, () => 'rejected')]);
      const letters = await connector.query('SELECT FROM iot.dead_letter ORDER BY id DESC LIMIT 4');
      assert.equal(letters.length, 4);
      assert.equal((await stored('n1')).length, 1);
    });

    it('request ids go through, into answers and the log', async () => {
      const given = await ask(connector, '/api/v1/cows', { headers: { 'x-request-id': 'mine-1' } });
      assert.equal(given.headers.get('x-request-id'), 'mine-1');
      const line = '"request_id":"mine-1","method":"GET","path":"/api/v1/cows","status":404';
      await eventually('the log line', () => Promise.resolve(connector.log().includes(line)));
      const made = await ask(connector, '/api/v1/status', { headers: { 'x-request-id': 'not one' } });
      assert.match(made.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    });
  });
}
