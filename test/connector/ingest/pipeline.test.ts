// Topic in, row out: the connector's process on a real database and a real broker, on every edition at hand.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MilkSessionRecord } from '../../../contract/records.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord, sessionMessage } from '../../support/milk.ts';
import { noBroker } from '../../support/stack.ts';

for (const plain of [false, true]) {
  describe(plain ? 'plain PostgreSQL' : 'TimescaleDB', { skip: noBroker() }, () => {
    let connector: TestConnector;
    before(async () => {
      connector = await startConnector({
        plain,
        milk: '  silence_seconds: 3',
        yaml: (farm) => `devices: [{ farm: ${farm}, uid: reader, type: rfid_reader, stall: '7' }]`,
      });
    });
    after(() => connector.drop());

    const topic = (uid: string, type = 'milk_meters', message = 'data') =>
      `dairy/${connector.farm}/${type}/${uid}/${message}`;
    const publish = (to: string, payload: unknown) =>
      connector.mqtt.publishAsync(to, typeof payload === 'string' ? payload : JSON.stringify(payload), {
        qos: 1,
      });
    const sessions = (uid: string) =>
      connector.query<{
        session_key: string;
        revision: number;
        closed: boolean;
        rfid: string | null;
        record: MilkSessionRecord | null;
      }>(
        `SELECT s.session_key, s.revision, s.closed, s.rfid, s.record FROM iot.milk_session s
         JOIN iot.device d ON d.id = s.device_id JOIN iot.farm f ON f.id = d.farm_id
         WHERE f.code = $1 AND d.device_uid = $2 ORDER BY s.started_at`,
        [connector.farm, uid],
      );
    const record = async (uid: string) => (await sessions(uid))[0]?.record;
    const published = (uid: string, revision: number) =>
      eventually(
        `${uid} at revision ${revision}`,
        async () => (await sessions(uid))[0]?.revision === revision,
      );
    const deadLetter = (to: string) =>
      eventually(`a dead letter for ${to}`, async () => {
        const rows = await connector.query('SELECT reason FROM iot.dead_letter WHERE topic = $1', [to]);
        return rows.length === 1;
      }).then(() =>
        connector.query<{ reason: string; payload_size: number }>(
          'SELECT reason, payload_size FROM iot.dead_letter WHERE topic = $1',
          [to],
        ),
      );
    const readings = async (uid: string) =>
      await connector.query<{ metric: string; value: number; quality: number }>(
        'SELECT metric, value, quality FROM iot.sensor_data WHERE farm_code = $1 AND device_uid = $2 ORDER BY time, metric',
        [connector.farm, uid],
      );

    it('runs on the edition it should', async () => {
      const [row] = await connector.query<{ edition: string }>('SELECT iot.edition() AS edition');
      if (plain) assert.equal(row?.edition, 'plain');
      else assert.ok(['apache', 'community'].includes(row?.edition ?? ''));
    });

    it('makes one milking of a record that comes three times', async () => {
      const message = milkRecord();
      for (let i = 0; i < 3; i++) await publish(topic('meter_001'), message);
      await publish(
        topic('meter_001'),
        milkRecord({ session_id: 's2', yield_liters: 20, timestamp: new Date().toISOString() }),
      );
      await eventually('both', async () => (await sessions('meter_001')).length === 2);
      const [first] = await sessions('meter_001');
      assert.equal(first?.revision, 1);
      assert.deepEqual(first.record, {
        farm: connector.farm,
        device_uid: 'meter_001',
        device_type: 'milk_meter',
        rfid: '050000000000001',
        animal_ref: 'A-1',
        stall: 'P3',
        started_at: new Date(Date.parse(String(message['timestamp'])) - 300_000).toISOString(),
        ended_at: message['timestamp'],
        duration_s: 300,
        yield_kg: 10.3,
        average_flow_kg_min: 2.06,
        peak_flow_kg_min: null,
        conductivity_ms_cm: null,
        milk_temperature_c: 37.4,
        fat_pct: 3.9,
        protein_pct: 3.2,
        lactose_pct: 4.7,
        scc_per_ml: 145_000,
        blood_pct: null,
        vacuum_kpa: 42.5,
        pulsation_per_min: 60,
        grade: 'A',
        expected_yield_kg: null,
        abnormal_pct: 30,
        expected_days: 30,
        expected_least_milkings: 3,
        abnormal: false,
        milking: first.record?.milking,
        complete: true,
      });
      const outbox = await connector.query('SELECT revision FROM iot.outbox WHERE source_id = $1', [
        `${connector.farm}/meter_001/s1`,
      ]);
      assert.deepEqual(outbox, [{ revision: 1 }]);
    });

    it('adds up session messages without times, and the device appears as discovered', async () => {
      const to = `smartdairy/sensors/milk_meter/${connector.farm}-m2/data`;
      const session_id = 'x1';
      await publish(to, sessionMessage('session_start', { session_id, animal_id: 123 }));
      for (let i = 0; i < 5; i++) {
        await publish(
          to,
          sessionMessage('reading', { session_id, volume: 0.5, flow_rate: 2 + i / 10, temperature: 37.5 }),
        );
      }
      await publish(to, sessionMessage('session_end', { session_id }));
      const find = () =>
        connector.query<{ record: MilkSessionRecord | null; state: string }>(
          `SELECT s.record, d.state FROM iot.milk_session s JOIN iot.device d ON d.id = s.device_id WHERE d.device_uid = $1`,
          [`${connector.farm}-m2`],
        );
      await eventually('closed', async () => {
        const [found] = await find();
        return found !== undefined && found.record !== null;
      });
      const [row] = await find();
      assert.equal(row?.state, 'discovered');
      assert.equal(row.record?.yield_kg, 2.575);
      assert.equal(row.record.animal_ref, '123');
      assert.equal(row.record.average_flow_kg_min, 2.266);
      assert.equal(row.record.peak_flow_kg_min, 2.472);
      assert.equal(row.record.complete, true);
      assert.equal(row.record.grade, null);
    });

    it('makes a new revision of a late reading, and none of its repetition', async () => {
      const at = Date.now() - 600_000;
      const iso = (s: number) => new Date(at + s * 1000).toISOString();
      const late = sessionMessage('reading', { session_id: 'L', volume: 1, timestamp: iso(30) });
      await publish(topic('late'), sessionMessage('session_start', { session_id: 'L', timestamp: iso(0) }));
      await publish(
        topic('late'),
        sessionMessage('reading', { session_id: 'L', volume: 1, timestamp: iso(10) }),
      );
      await publish(topic('late'), sessionMessage('session_end', { session_id: 'L', timestamp: iso(120) }));
      await published('late', 1);
      assert.equal((await record('late'))?.yield_kg, 1.03);
      await publish(topic('late'), late);
      await published('late', 2);
      assert.equal((await record('late'))?.yield_kg, 2.06);
      assert.equal((await record('late'))?.duration_s, 120);
      await publish(topic('late'), late);
      await publish(topic('late-marker'), milkRecord());
      await published('late-marker', 1);
      assert.equal((await sessions('late'))[0]?.revision, 2);
    });

    it('takes cumulative counters and the tag read at the stall, but never the previous cow’s', async () => {
      const at = Date.now() - 300_000;
      const iso = (s: number) => new Date(at + s * 1000).toISOString();
      const meter = (id: string, event: string, s: number, kg: number) =>
        publish(topic('stall-07', 'milk_meter'), {
          v: 1,
          at: iso(s),
          stall: '7',
          session: { id, event },
          points: [{ m: 'milk_yield', v: kg }],
        });
      const tag = (rfid: string, s: number) =>
        publish(topic('reader', 'rfid_reader'), {
          v: 1,
          at: iso(s),
          stall: '7',
          points: [],
          animal: { rfid },
        });
      await tag('050000000000011', 0);
      await meter('1', 'start', 5, 0);
      await meter('1', 'reading', 20, 4.5);
      await meter('1', 'end', 40, 9.25);
      // The second cow's tag was not read: she must not be taken for the first.
      await meter('2', 'start', 60, 0);
      await meter('2', 'end', 90, 8);
      await eventually(
        'both',
        async () => (await sessions('stall-07')).filter(({ revision }) => revision > 0).length === 2,
      );
      const [first, second] = await sessions('stall-07');
      assert.equal(first?.record?.rfid, '050000000000011');
      assert.equal(first.record.yield_kg, 9.25);
      assert.equal(second?.record?.rfid, null);
      // A read that arrives late still finds its milking.
      await tag('050000000000012', 55);
      await eventually(
        'identified',
        async () => (await sessions('stall-07'))[1]?.record?.rfid === '050000000000012',
      );
      assert.equal((await sessions('stall-07'))[1]?.revision, 2);
    });

    it('closes a silent milking as incomplete and completes it when its end turns up', async () => {
      await publish(
        topic('silent'),
        sessionMessage('session_start', { session_id: 'Z', timestamp: new Date().toISOString() }),
      );
      await publish(
        topic('silent'),
        sessionMessage('reading', { session_id: 'Z', volume: 2, timestamp: new Date().toISOString() }),
      );
      await published('silent', 1);
      assert.equal((await record('silent'))?.complete, false);
      await publish(
        topic('silent'),
        sessionMessage('session_end', { session_id: 'Z', timestamp: new Date().toISOString() }),
      );
      await published('silent', 2);
      assert.equal((await record('silent'))?.complete, true);
    });

    it('compares with the animal’s mean of thirty days', async () => {
      const day = 86_400_000;
      const rfid_tag = '050000000000777';
      for (const [n, litres] of [
        [4, 10],
        [3, 11],
        [2, 9],
        [1, 14],
      ] as const) {
        await publish(
          topic('mean'),
          milkRecord({
            rfid_tag,
            session_id: `m${n}`,
            yield_liters: litres,
            timestamp: new Date(Date.now() - n * day).toISOString(),
          }),
        );
      }
      await eventually('four', async () => (await sessions('mean')).length === 4);
      const last = (await sessions('mean'))[3]?.record;
      assert.equal(last?.expected_yield_kg, 10.3);
      assert.equal(last.abnormal, true);
      const alerts = await connector.query(`SELECT alert_type FROM iot.alert WHERE alert_key LIKE $1`, [
        `${connector.farm}/mean/%`,
      ]);
      assert.deepEqual(alerts, [{ alert_type: 'abnormal_yield' }]);
    });

    it('answers bad input with one dead letter each and goes on with the good input beside it', async () => {
      const now = new Date().toISOString();
      const bad: [string, string | Buffer, RegExp][] = [
        [topic('bad1'), '{"device_id": "x", ', /^not JSON/],
        [topic('bad2'), '{"yield_liters": NaN}', /^not JSON/],
        [topic('bad3'), '[]', /not a JSON object/],
        [
          topic('bad4'),
          JSON.stringify(milkRecord({ timestamp: undefined })),
          /timestamp: the time is missing/,
        ],
        [
          topic('bad5'),
          JSON.stringify(milkRecord({ yield_liters: 'lots' })),
          /yield_liters: "lots" is not a number/,
        ],
        [
          topic('bad6'),
          JSON.stringify(milkRecord({ yield_liters: 5000 })),
          /milk_yield 5150 kg is outside 0…100/,
        ],
        [topic('bad7'), JSON.stringify(milkRecord({ timestamp: 'soon' })), /"soon" is not a time/],
        [
          topic('bad8'),
          JSON.stringify(milkRecord({ timestamp: new Date(Date.now() - 100 * 86_400_000).toISOString() })),
          /further back/,
        ],
        [
          topic('bad9'),
          JSON.stringify({ v: 1, at: now, points: [{ m: 'milk_yeild', v: 1 }] }),
          /did you mean 'milk_yield'/,
        ],
        [topic('bad10', 'milk_metre'), '{}', /unknown device type 'milk_metre'/],
        [`dairy/${connector.farm}/what/ever`, '{}', /no topic template fits/],
        [topic('bad11'), Buffer.alloc(10_000_000, 0x20), /10000000 bytes, at most/],
        [topic('bad12'), Buffer.from([0xff, 0xfe, 0x00]), /^not JSON/],
      ];
      for (const [index, [to, payload]] of bad.entries()) {
        await connector.mqtt.publishAsync(to, payload, { qos: 1 });
        await publish(topic('good', 'temperature'), {
          timestamp: new Date(Date.now() - 60_000 + index).toISOString(),
          temperature: 4,
        });
      }
      for (const [to, payload, reason] of bad) {
        const [letter] = await deadLetter(to);
        assert.match(letter?.reason ?? '', reason);
        assert.equal(letter?.payload_size, Buffer.byteLength(payload));
      }
      await eventually('the good ones', async () => (await readings('good')).length === bad.length);
    });

    it('stores a value outside its range with quality 1', async () => {
      await publish(topic('t-odd', 'temperature'), { timestamp: new Date().toISOString(), temperature: 900 });
      await eventually('stored', async () => (await readings('t-odd')).length === 1);
      assert.deepEqual(await readings('t-odd'), [{ metric: 'temperature', value: 900, quality: 1 }]);
    });

    it('marks a jump that no tank can make', async () => {
      const at = Date.now() - 120_000;
      for (const [s, temperature] of [
        [0, 4],
        [60, 35],
        [90, 35.2],
      ] as const) {
        await publish(topic('t-jump', 'temperature'), {
          timestamp: new Date(at + s * 1000).toISOString(),
          temperature,
        });
      }
      await eventually('stored', async () => (await readings('t-jump')).length === 3);
      assert.deepEqual(
        (await readings('t-jump')).map(({ quality }) => quality),
        [0, 4, 0],
      );
    });

    it('keeps a device’s statuses, changes only', async () => {
      for (const state of ['online', 'online', 'offline'])
        await publish(topic('gw', 'gateway', 'status'), { state });
      const rows = () =>
        connector.query<{ state: string }>(
          `SELECT s.state FROM iot.device_status s JOIN iot.device d ON d.id = s.device_id WHERE d.device_uid = 'gw' ORDER BY s.time`,
        );
      await eventually('offline', async () => (await rows()).at(-1)?.state === 'offline');
      assert.deepEqual(
        (await rows()).filter((row, index, all) => row.state === all[index - 1]?.state),
        [],
      );
    });
  });
}

describe('policy reject', { skip: noBroker() }, () => {
  it('dead-letters what an unregistered device sends and takes what a registered one sends', async () => {
    const connector = await startConnector({
      yaml: `devices:\n  - { farm: known, uid: meter_9, type: milk_meter, stall: '9' }`,
      unknownDevices: 'reject',
    });
    try {
      const message = JSON.stringify(milkRecord({ session_id: connector.farm }));
      await connector.mqtt.publishAsync(`dairy/${connector.farm}/milk_meter/stranger/data`, message, {
        qos: 1,
      });
      await connector.mqtt.publishAsync('dairy/known/milk_meter/meter_9/data', message, { qos: 1 });
      await eventually(
        'the known device',
        async () =>
          (await connector.query(`SELECT 1 FROM iot.milk_session WHERE session_key = $1`, [connector.farm]))
            .length === 1,
      );
      const letters = await connector.query<{ reason: string }>(
        'SELECT reason FROM iot.dead_letter WHERE topic LIKE $1',
        [`dairy/${connector.farm}/%`],
      );
      assert.match(letters[0]?.reason ?? '', /stranger is not registered; add it to devices/);
      const [count] = await connector.query<{ count: string }>(
        `SELECT count(*) FROM iot.device WHERE device_uid = 'stranger'`,
      );
      assert.equal(Number(count?.count), 0);
    } finally {
      await connector.drop();
    }
  });
});
