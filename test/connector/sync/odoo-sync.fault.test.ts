// Odoo → connector on the real Odoo: what a person edits there is here at once, and nothing comes back as an echo.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, before, describe, test } from 'node:test';
import { odooAdmin, type OdooAdmin } from '../../support/odoo.ts';
import { callSigned, databaseUuid, signature } from '../../support/odoo-sync.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { startMember } from '../../support/member.ts';
import { milkRecord } from '../../support/milk.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../../support/stack.ts';

const secret = 'a-secret-that-both-sides-know';
const hookToken = 'hook-token-of-this-test';

describe('Odoo → connector', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let connector: TestConnector;
  let farmId: number;
  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
    connector = await startConnector({
      odoo,
      odooYaml: `secret: ${secret}, hook_token: ${hookToken}`,
    });
    await admin.call('ir.config_parameter', 'set_param', {
      key: 'smart_dairy.connector_url',
      value: connector.url,
    });
    await admin.call('ir.config_parameter', 'set_param', {
      key: 'smart_dairy.connector_secret',
      value: secret,
    });
    farmId = await create('farm.farm', { name: 'Sync Farm', code: connector.farm });
  });
  after(async () => {
    await connector.drop();
    await odoo.drop();
  });

  const callOfOdoo = async (path: string, content: Record<string, unknown>) =>
    callSigned(connector.url, secret, path, content, await databaseUuid(admin));
  async function create(model: string, values: Record<string, unknown>): Promise<number> {
    const [id] = (await admin.call(model, 'create', { vals_list: [values] })) as number[];
    assert.ok(id);
    return id;
  }
  const one = async (sql: string, values: unknown[] = []) => (await connector.query(sql, values))[0];

  test('farms, pens and animals with their tags are known; an edit is here without waiting for the poll', async () => {
    const pen = await create('farm.pen', { name: 'Shed 1', farm_id: farmId });
    const values = {
      name: 'Lali',
      ear_tag: 'E-1',
      rfid_tag: '900000000000001',
      farm_id: farmId,
      pen_id: pen,
    };
    const cow = await create('farm.animal', values);
    const animal = () =>
      one(
        `SELECT a.rfid, a.ear_tag, a.name, p.name AS pen, a.active FROM iot.animal a JOIN iot.farm f ON f.id = a.farm_id
         LEFT JOIN iot.pen p ON p.id = a.pen_id WHERE a.odoo_id = $1`,
        [cow],
      );
    await eventually('the animal is known', async () => (await animal()) !== undefined);
    assert.deepEqual(await animal(), {
      rfid: '900000000000001',
      ear_tag: 'E-1',
      name: 'Lali',
      pen: 'Shed 1',
      active: true,
    });
    await admin.write('farm.animal', [cow], { rfid_tag: '900000000000002' });
    await eventually('the new tag is known', async () => (await animal())?.['rfid'] === '900000000000002');
  });

  test('a farm has the time zone that it is given in Odoo; one that is not known here is none', async () => {
    const zone = async () =>
      (await one('SELECT timezone FROM iot.farm WHERE code = $1', [connector.farm]))?.['timezone'];
    assert.equal(await zone(), null, 'nobody has said one yet');
    await admin.write('farm.farm', [farmId], { tz: 'America/New_York' });
    await eventually('the zone is known', async () => (await zone()) === 'America/New_York');
    await admin.write('farm.farm', [farmId], { tz: false });
    await eventually('it is taken back', async () => (await zone()) === null);
  });

  test('two animals exchange their tags', async () => {
    const tags = ['900000000000011', '900000000000012'];
    const cows = [
      await create('farm.animal', { name: 'A', rfid_tag: tags[0], farm_id: farmId }),
      await create('farm.animal', { name: 'B', rfid_tag: tags[1], farm_id: farmId }),
    ];
    const rfids = async () =>
      (
        await connector.query<{ rfid: string }>(
          'SELECT rfid FROM iot.animal WHERE odoo_id = ANY ($1) ORDER BY odoo_id',
          [cows],
        )
      ).map(({ rfid }) => rfid);
    await eventually('both are known', async () => (await rfids()).join() === tags.join());
    await admin.write('farm.animal', [cows[0] ?? 0], { rfid_tag: false });
    await admin.write('farm.animal', [cows[1] ?? 0], { rfid_tag: tags[0] });
    await admin.write('farm.animal', [cows[0] ?? 0], { rfid_tag: tags[1] });
    await eventually('exchanged', async () => (await rfids()).join() === tags.toReversed().join());
  });

  test('a tag that moved from Bella to Buttercup: what they gave before stays theirs on both sides', async () => {
    const [old, own] = ['900000000000031', '900000000000032'];
    const bella = await create('farm.animal', { name: 'Bella', rfid_tag: old, farm_id: farmId });
    const buttercup = await create('farm.animal', { name: 'Buttercup', rfid_tag: own, farm_id: farmId });
    const holders = async () =>
      (
        await connector.query<{ holder: string }>(
          `SELECT t.tag || ' ' || t.animal_odoo_id || ' ' || isfinite(t.valid_from) || ' ' || isfinite(t.valid_to) AS holder
           FROM iot.animal_tag t WHERE t.tag = ANY ($1) ORDER BY t.odoo_id`,
          [[old, own]],
        )
      ).map(({ holder }) => holder);
    const before = [`${old} ${bella} false false`, `${own} ${buttercup} false false`];
    await eventually('their tags are known', async () => isDeepStrictEqual(await holders(), before));
    const milk = async (session_id: string, at: number, rfid_tag: string, yield_liters: number) => {
      const said = { session_id, rfid_tag, yield_liters, timestamp: new Date(at).toISOString() };
      const record = milkRecord({
        device_id: 'meter_031',
        animal_id: undefined,
        duration_seconds: 0,
        ...said,
      });
      const topic = `dairy/${connector.farm}/milk_meter/meter_031/data`;
      await connector.mqtt.publishAsync(topic, JSON.stringify(record), { qos: 1 });
    };
    const inOdoo = async (session: string) => {
      const [found] = await admin.read<{ animal_id: [number, string] | false }>(
        'iot.milk.session',
        [['source_id', '=', `${connector.farm}/meter_031/${session}`]],
        ['animal_id', 'yield_kg', 'expected_yield_kg', 'revision'],
      );
      return found === undefined ? undefined : { ...found, animal_id: found.animal_id && found.animal_id[0] };
    };
    const told = (session: string, animal: number, kg: number, expected: number, revision: number) =>
      eventually(`${session} in Odoo`, async () => {
        const {
          animal_id,
          yield_kg,
          expected_yield_kg,
          revision: told,
        } = (await inOdoo(session)) as Record<string, unknown>;
        assert.deepEqual([animal_id, yield_kg, expected_yield_kg, told], [animal, kg, expected, revision]);
      });
    const dayMs = 86_400_000;
    const weekAgo = Date.now() - 7 * dayMs;
    for (const n of [3, 2, 1]) {
      await milk(`bella-${n}`, weekAgo - n * dayMs, old, 10);
      await milk(`buttercup-${n}`, weekAgo - n * dayMs, own, 20);
    }
    await milk('last-week', weekAgo, old, 10);
    await told('last-week', bella, 10.3, 10.3, 1);

    await admin.write('farm.animal', [bella], { rfid_tag: false });
    await admin.write('farm.animal', [buttercup], { rfid_tag: old });
    const after = [
      `${old} ${bella} false true`,
      `${own} ${buttercup} false true`,
      `${old} ${buttercup} true false`,
    ];
    await eventually('the tag has moved', async () => isDeepStrictEqual(await holders(), after));
    await milk('today', Date.now(), old, 21);
    await told('today', buttercup, 21.63, 20.6, 1);
    await milk('last-week', weekAgo + 60_000, old, 12);
    await told('last-week', bella, 12.36, 10.3, 2);
  });

  test('a device that is discovered, accepted, refused; its data follows, and nothing is echoed', async () => {
    const topic = `dairy/${connector.farm}/milk_meter/meter_001/data`;
    const send = (session_id: string) =>
      connector.mqtt.publishAsync(topic, JSON.stringify(milkRecord({ session_id })), { qos: 1 });
    await send('s1');
    const find = () =>
      admin.read<{ id: number; state: string }>(
        'iot.device',
        [
          ['device_uid', '=', 'meter_001'],
          ['farm_id', '=', farmId],
        ],
        ['state'],
      );
    await eventually('Odoo knows the device', async () => (await find())[0]?.state === 'discovered');
    const [device] = await find();
    assert.ok(device);
    const mine = () =>
      one(
        `SELECT d.state, d.stall, d.revision, o.revision AS sent FROM iot.device d
         JOIN iot.farm f ON f.id = d.farm_id
         JOIN iot.outbox o ON o.kind = 'device' AND o.source_id = f.code || '/meter_001'
         WHERE f.code = $1 AND d.device_uid = 'meter_001'`,
        [connector.farm],
      );
    const before = await mine();
    await admin.write('iot.device', [device.id], { stall: 'P9', state: 'registered' });
    await eventually('registered', async () => (await mine())?.['state'] === 'registered');
    const after = await mine();
    assert.equal(after?.['stall'], 'P9');
    assert.deepEqual([after['revision'], after['sent']], [before?.['revision'], before?.['sent']], 'no echo');

    await admin.write('iot.device', [device.id], { state: 'refused' });
    await eventually('refused', async () => (await mine())?.['state'] === 'rejected');
    await send('s2');
    await eventually('its data is a dead letter', async () => {
      const rows = await connector.query('SELECT reason FROM iot.dead_letter WHERE topic = $1', [topic]);
      return rows.length === 1;
    });
  });

  test('deleted in Odoo: forgotten here, and a full resync forgets what left without a trace', async () => {
    const [gone, lost] = [
      await create('farm.animal', { name: 'Gone', rfid_tag: '900000000000021', farm_id: farmId }),
      await create('farm.animal', { name: 'Lost', rfid_tag: '900000000000022', farm_id: farmId }),
    ];
    const active = async (name: string) =>
      (await one('SELECT active FROM iot.animal WHERE name = $1', [name]))?.['active'];
    await eventually(
      'both are known',
      async () => (await active('Gone')) === true && (await active('Lost')) === true,
    );
    await admin.call('farm.animal', 'unlink', { ids: [gone] });
    await eventually('the deleted one is forgotten', async () => (await active('Gone')) === false);
    // As if its tombstone had been lost: Odoo has no such record.
    await connector.query('UPDATE iot.animal SET odoo_id = 999999 WHERE odoo_id = $1', [lost]);
    await admin.call('farm.animal', 'unlink', { ids: [lost] });
    const response = await fetch(`${connector.url}/api/v1/odoo/resync`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connector.token}` },
    });
    assert.equal(response.status, 202);
    await eventually('the lost one is forgotten', async () => (await active('Lost')) === false);
  });

  test('a quiet Odoo: the next rounds bring nothing', async () => {
    // Devices are left out: the connector itself tells Odoo when it hears them, which is a change.
    const records = async () =>
      (await connector.query(
        `SELECT kind, cursor, records FROM iot.odoo_cursor WHERE kind <> 'device' ORDER BY kind`,
      )) as unknown;
    let before = await records();
    await eventually('the resync has ended', async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const last = before;
      before = await records();
      return isDeepStrictEqual(last, before);
    });
    await callOfOdoo('notify', { kind: 'animal', ids: [] });
    await callOfOdoo('notify', { kind: 'farm', ids: [] });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.deepEqual(await records(), before);
  });

  test('a signature that is wrong, old or used before is refused', async () => {
    const path = '/api/v1/odoo/notify';
    const database = await databaseUuid(admin);
    const call = (header: string, body: string, { target = path, asking = database } = {}) =>
      fetch(connector.url + target, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-smart-dairy-signature': header,
          ...(asking === '' ? {} : { 'x-smart-dairy-database': asking }),
        },
        body,
      });
    const body = JSON.stringify({ kind: 'farm', ids: [1] });
    const now = Math.floor(Date.now() / 1000);
    assert.equal((await call(signature('another secret', path, body, { database }), body)).status, 401);
    assert.equal((await call(signature(secret, path, body, { database, at: now - 301 }), body)).status, 401);
    assert.equal((await call('t=1', body)).status, 401);
    const good = signature(secret, path, body, { database, at: now });
    const elsewhere = { target: '/api/v1/odoo/latest' };
    assert.equal((await call(good, body, elsewhere)).status, 401, 'heard and sent elsewhere');
    for (const asking of ['', 'a-copy'])
      assert.equal((await call(good, body, { asking })).status, 401, 'heard and sent as another database');
    assert.equal((await call(good, body)).status, 202);
    assert.equal((await call(good, body)).status, 401, 'a replay');
    assert.equal((await call(good, `${body} `)).status, 401, 'another body');
    const spaced = (asking: string) => body + ' '.repeat(2 + asking.length);
    for (const asking of ['', 'a-copy']) {
      const header = signature(secret, path, spaced(asking), { database: asking });
      assert.equal((await call(header, spaced(asking), { asking })).status, 409);
    }
  });

  test('latest values and the outbox for Odoo’s screens', async () => {
    const { body } = await callOfOdoo('latest', {
      devices: [`${connector.farm}/meter_001`, `${connector.farm}/nobody`],
    });
    const values = body['values'] as { device: string; metric: string; value: number }[];
    assert.ok(values.some(({ metric }) => metric === 'milk_fat'));
    assert.ok(values.every(({ device }) => device === `${connector.farm}/meter_001`));
    assert.equal(body['series'], undefined);
    const charted = await callOfOdoo('latest', {
      devices: [`${connector.farm}/meter_001`],
      chart_hours: 24,
    });
    const series = charted.body['series'] as { device: string; metric: string; points: number[][] }[];
    const fat = series.find(({ metric }) => metric === 'milk_fat');
    assert.equal(fat?.device, `${connector.farm}/meter_001`);
    assert.equal(fat.points.at(-1)?.length, 2);
    assert.ok(Math.abs((fat.points.at(-1)?.[0] ?? 0) - Date.now() / 1000) < 7200);
    const summary = await callOfOdoo('outbox/summary', {});
    assert.equal(summary.status, 200);
    assert.ok(Array.isArray(summary.body['kinds']));
    await connector.query(`SELECT iot.outbox_put('{alert}', '{x/bad}', '{1}', ARRAY['{"wrong": 1}'::jsonb])`);
    const parked = async () =>
      (await callOfOdoo('outbox/parked', { limit: 10 })).body['records'] as {
        id: number;
      }[];
    await eventually('it is parked', async () => (await parked()).length === 1);
    const [row] = await parked();
    const ignored = await callOfOdoo('outbox/ignore', { ids: [row?.id] });
    assert.deepEqual(ignored.body, { ignored: 1 });
    assert.deepEqual(await parked(), []);
  });

  test('a limit set in Odoo counts for the next milking', async () => {
    const milk = async (session_id: string) => {
      const quality = { fat_percentage: 3.9, protein_percentage: 3.2, somatic_cell_count: 180_000 };
      const record = milkRecord({ device_id: 'meter_007', session_id, quality });
      await connector.mqtt.publishAsync(
        `dairy/${connector.farm}/milk_meter/meter_007/data`,
        JSON.stringify(record),
        { qos: 1 },
      );
      await eventually('it is published', async () => {
        const sql = `SELECT 1 FROM iot.milk_session WHERE session_key = $1 AND revision > 0`;
        return (await connector.query(sql, [session_id])).length === 1;
      });
      return connector.query(
        `SELECT severity, record ->> 'threshold_value' AS bound FROM iot.alert
         WHERE alert_key = $1 || '/meter_007/' || $2 || '/high_scc'`,
        [connector.farm, session_id],
      );
    };
    const known = (count: number) =>
      eventually('the limit is known', async () => {
        const rows = await connector.query(
          `SELECT 1 FROM iot.odoo_threshold WHERE (record ->> 'active')::boolean AND record ->> 'farm' = $1`,
          [connector.farm],
        );
        // The news of it are looked up a moment later.
        await new Promise((resolve) => setTimeout(resolve, 500));
        return rows.length === count;
      });
    assert.deepEqual(await milk('l1'), [], 'within the limit of the configuration');
    const limit = await create('iot.threshold', {
      farm_id: farmId,
      metric: 'milk_scc',
      high: 150_000,
      severity: 'high',
    });
    await known(1);
    assert.deepEqual(await milk('l2'), [{ severity: 'high', bound: '150000' }]);
    await admin.write('iot.threshold', [limit], { high: 170_000, severity: 'low' });
    await eventually('the change is known', async () => {
      const row = await one('SELECT record FROM iot.odoo_threshold WHERE odoo_id = $1', [limit]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (row?.['record'] as { high: number }).high === 170_000;
    });
    assert.deepEqual(await milk('l3'), [{ severity: 'low', bound: '170000' }]);
    await admin.write('iot.threshold', [limit], { active: false });
    await known(0);
    assert.deepEqual(await milk('l4'), []);
  });

  test('a standby that Odoo calls wakes the one that pulls', async () => {
    const standby = await startMember(connector);
    try {
      await standby.waitFor(['standby']);
      // As if Odoo reached only the standby.
      await admin.call('ir.config_parameter', 'set_param', {
        key: 'smart_dairy.connector_url',
        value: standby.url,
      });
      const cow = await create('farm.animal', { name: 'By the standby', farm_id: farmId });
      const begin = Date.now();
      await eventually('it is known', async () => {
        return (await one('SELECT 1 FROM iot.animal WHERE odoo_id = $1', [cow])) !== undefined;
      });
      // Without the wake it would come with the poll, which is once a minute at this setting.
      assert.ok(Date.now() - begin < 20_000);
    } finally {
      await admin.call('ir.config_parameter', 'set_param', {
        key: 'smart_dairy.connector_url',
        value: connector.url,
      });
      await standby.end();
    }
  });

  test('a command is published once per call, on the topic of the device', async () => {
    const topic = `dairy/${connector.farm}/milk_meter/meter_007/commands`;
    const received: string[] = [];
    connector.mqtt.on('message', (on, payload) => {
      if (on === topic) received.push(payload.toString());
    });
    await connector.mqtt.subscribeAsync(topic, { qos: 1 });
    const command = { farm: connector.farm, device_uid: 'meter_007', command: 'reset', params: { value: 1 } };
    const answer = await callOfOdoo('command', { ...command, request_id: 'r1' });
    assert.equal(answer.status, 202);
    await eventually('the command is there', () => Promise.resolve(received.length === 1));
    const { expires_at: expiresAt, ...sent } = JSON.parse(received[0] ?? '') as Record<string, unknown>;
    assert.deepEqual(sent, { id: 'r1', command: 'reset', value: 1, timeout_ms: 10_000 });
    assert.equal(expiresAt, answer.body['expires_at']);
    const unknown = await callOfOdoo('command', {
      ...command,
      device_uid: 'nobody',
      request_id: 'r2',
    });
    assert.equal(unknown.status, 404);
  });

  test('a command and a feeding order of Odoo: to the device, and their results back into Odoo', async () => {
    const feeder = await create('iot.device', {
      name: 'Dispenser',
      device_uid: 'feeder_1',
      device_type: 'feeder',
      farm_id: farmId,
      profile: 'feed-dispenser-modbus',
      state: 'active',
    });
    await eventually('the dispenser is known', async () => {
      const row = await one(`SELECT profile FROM iot.device WHERE device_uid = 'feeder_1'`);
      return row?.['profile'] === 'feed-dispenser-modbus';
    });
    // A gateway: it refuses more than 2 kg.
    const base = `dairy/${connector.farm}/feeder/feeder_1`;
    const asked: number[] = [];
    connector.mqtt.on('message', (topic, payload) => {
      if (topic !== `${base}/commands`) return;
      const { id, command, value } = JSON.parse(payload.toString()) as Record<string, unknown>;
      asked.push(Number(value));
      const outcome =
        Number(value) > 2 ? { result: 'failed', detail: 'hopper empty' } : { result: 'done', value };
      const status = { state: 'online', at: new Date().toISOString(), command: { id, command, ...outcome } };
      connector.mqtt.publish(`${base}/status`, JSON.stringify(status), { qos: 1 });
    });
    await connector.mqtt.subscribeAsync(`${base}/commands`, { qos: 1 });

    const form = (await admin.call('iot.device', 'action_command', { ids: [feeder] })) as { res_id: number };
    const offered = await admin.read<{ id: number; name: string; range: string }>(
      'iot.device.command.known',
      [['wizard_id', '=', form.res_id]],
      ['name', 'range'],
    );
    assert.deepEqual(
      offered.map(({ name, range }) => `${name}: ${range}`),
      ['give_feed: 0.1 – 5'],
    );
    await admin.write('iot.device.command.wizard', [form.res_id], { known_id: offered[0]?.id, value: '1.5' });
    const sent = (await admin.call('iot.device.command.wizard', 'action_send', { ids: [form.res_id] })) as {
      res_id: number;
    };
    const states = async (model: string, id: number, fields: string[]) =>
      (await admin.read(model, [['id', '=', id]], fields))[0];
    await eventually('Odoo has the result', async () => {
      const row = await states('iot.device.command', sent.res_id, ['state']);
      return row?.['state'] === 'done';
    });
    const row = await states('iot.device.command', sent.res_id, [
      'command',
      'value',
      'result_value',
      'detail',
    ]);
    assert.equal(row?.['result_value'], '1.5');
    assert.equal(row['value'], '1.5');

    const cow = await create('farm.animal', { name: 'Hungry', farm_id: farmId });
    const order = (kg: number) =>
      create('farm.feeding.order', {
        farm_id: farmId,
        animal_id: cow,
        feed: 'Concentrate',
        amount_kg: kg,
        device_id: feeder,
      });
    const [good, bad] = [await order(2), await order(3)];
    await admin.call('farm.feeding.order', 'action_confirm', { ids: [good, bad] });
    await admin.call('farm.feeding.order', 'action_send_due', { ids: [good, bad] });
    await eventually('both orders have their result', async () => {
      const [first, second] = [
        await states('farm.feeding.order', good, ['state']),
        await states('farm.feeding.order', bad, ['state', 'result']),
      ];
      return (
        first?.['state'] === 'done' && second?.['state'] === 'failed' && second['result'] === 'hopper empty'
      );
    });
    assert.deepEqual(asked, [1.5, 2, 3], 'each was asked for once');
  });

  test('webhook actions of Odoo itself: stored, answered, worked on; unknown models are kept', async () => {
    const [model] = (await admin.call('ir.model', 'search', {
      domain: [['model', '=', 'farm.animal']],
    })) as number[];
    const action = await create('ir.actions.server', {
      name: 'Tell the connector',
      model_id: model,
      state: 'webhook',
      webhook_url: `${connector.url}/api/v1/odoo/hook/${hookToken}`,
    });
    const cow = await create('farm.animal', { name: 'Hooked', farm_id: farmId });
    await admin.call('ir.actions.server', 'run', {
      ids: [action],
      context: { active_model: 'farm.animal', active_id: cow, active_ids: [cow] },
    });
    await eventually('the event is done', async () => {
      const rows = await connector.query(
        `SELECT state FROM iot.odoo_event WHERE model = 'farm.animal' AND record_id = $1`,
        [cow],
      );
      return rows[0]?.['state'] === 'done';
    });
    const post = (token: string, body: unknown) =>
      fetch(`${connector.url}/api/v1/odoo/hook/${token}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    assert.equal((await post(hookToken, { _model: 'res.partner', _id: 1, _action: 'x' })).status, 202);
    assert.equal((await post('wrong', { _model: 'res.partner', _id: 1 })).status, 404);
    await eventually('unknown is kept', async () => {
      const rows = await connector.query(`SELECT state FROM iot.odoo_event WHERE model = 'res.partner'`);
      return rows.length === 1 && rows[0]?.['state'] === 'unknown';
    });
  });
});
