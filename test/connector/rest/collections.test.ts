// Collections page by page, on every edition: each row once, in order; and the token of a farm, which sees its farm only.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { noBroker } from '../../support/stack.ts';
import { ask, type Answer } from './api-client.ts';

const [west, north] = ['west-of-the-collections', 'north-of-the-collections'];
const westToken = 'token-of-the-western-farm';
const hour = 3_600_000;
const begin = Math.floor(Date.now() / hour) * hour - 24 * hour;
const iso = (at: number) => new Date(at).toISOString();
type Row = Record<string, unknown>;

for (const plain of [false, true]) {
  describe(plain ? 'plain PostgreSQL' : 'TimescaleDB', { skip: noBroker() }, () => {
    let connector: TestConnector;
    const asWest = { headers: { authorization: `Bearer ${westToken}` } };
    before(async () => {
      connector = await startConnector({ plain, restYaml: `farm_tokens: { ${west}: ${westToken} }` });
      const readings = [west, north].flatMap((farm) =>
        ['t1', 't2'].flatMap((device_uid) =>
          ['temperature', 'humidity'].flatMap((metric_name) =>
            Array.from({ length: 5 }, (_, index) => ({
              farm,
              device_uid,
              device_type: 'temperature',
              metric_name,
              metric_value: index,
              timestamp: iso(begin + index * 60_000),
            })),
          ),
        ),
      );
      const answer = await ask(connector, '/api/v1/ingest/sensor/batch', { body: { readings } });
      assert.equal(answer.body['accepted'], 40, answer.text);
      for (const [index, farm] of [west, west, west, north].entries())
        await ask(connector, `/api/v1/ingest/milk-production?farm=${farm}`, {
          body: milkRecord({
            session_id: `s${index}`,
            // Two begin in one moment: their order has to be one all the same.
            timestamp: iso(begin + Math.min(index, 1) * hour),
            rfid_tag: `05000000000000${index % 2}`,
            animal_id: `A-${index}`,
          }),
        });
      await connector.query(
        `INSERT INTO iot.animal (farm_id, rfid, ear_tag, name, state, active)
         SELECT id, '050000000000001', 'W-1', 'Ivy', 'lactating', true FROM iot.farm WHERE code = $1
         UNION ALL SELECT id, NULL, 'W-2', 'Rose', 'sold', false FROM iot.farm WHERE code = $1`,
        [west],
      );
    });
    after(() => connector.drop());

    /** All rows of a collection, asked for in pages; more pages than rows do not end. */
    async function pages(path: string, name: string, options = {}): Promise<Row[]> {
      const rows: Row[] = [];
      let cursor = '';
      for (let page = 0; page < 100; page++) {
        const answer: Answer = await ask(connector, `${path}${cursor}`, options);
        assert.equal(answer.status, 200, answer.text);
        rows.push(...(answer.body[name] as Row[]));
        const next = answer.body['next_cursor'] as string | number | null;
        if (next === null) return rows;
        cursor = `&cursor=${next}`;
      }
      return assert.fail(`${path} does not end`);
    }

    it('readings by device, metric and time, whatever the page', async () => {
      const span = `start=${iso(begin)}&end=${iso(begin + 4 * 60_000)}`;
      const all = await pages(`/api/v1/readings?${span}&limit=1000`, 'readings');
      const wanted = all.filter(({ farm }) => farm === west || farm === north);
      assert.equal(wanted.filter(({ device_uid }) => device_uid !== 'meter_001').length, 40);
      for (const limit of [1, 3, 7]) {
        const path = `/api/v1/readings?${span}&farm=${west}&device_uid=t1&limit=${limit}`;
        const paged = await pages(path, 'readings');
        assert.deepEqual(
          paged.map(({ metric_name, metric_value }) => [metric_name, metric_value]),
          wanted
            .filter(({ farm, device_uid }) => farm === west && device_uid === 't1')
            .map(({ metric_name, metric_value }) => [metric_name, metric_value]),
        );
        assert.equal(paged.length, 10);
      }
    });

    it('milkings by time and animal, the last first', async () => {
      const list = async (query: string) =>
        (await pages(`/api/v1/milkings?limit=1&${query}`, 'milkings')).map((row) => row['source_id']);
      const of = (...sessions: string[]) => sessions.map((session) => `${west}/meter_001/${session}`);
      const all = await list(`farm=${west}`);
      assert.deepEqual(all.toSorted(), of('s0', 's1', 's2'));
      assert.equal(all.at(-1), of('s0')[0]);
      assert.deepEqual(await list(`farm=${west}&animal=050000000000001`), of('s1'));
      assert.deepEqual(
        await list(`farm=${west}&animal=W-1`),
        of('s1'),
        'by the ear tag of who wears the tag',
      );
      assert.deepEqual(await list(`farm=${west}&animal=A-2`), of('s2'), 'as the meter calls it');
      assert.deepEqual(await list(`farm=${west}&start=${iso(begin + 0.5 * hour)}`), all.slice(0, 2));
      assert.deepEqual(await list(`farm=${west}&end=${iso(begin + 0.5 * hour)}`), of('s0'));
      assert.deepEqual(await list(`farm=${west}&complete=false`), []);
    });

    it('farms, animals and devices', async () => {
      const farms = await pages('/api/v1/farms?limit=1', 'farms');
      assert.deepEqual(
        farms.find(({ farm }) => farm === west),
        { farm: west, name: west, active: true, devices: 3, animals: 1 },
      );
      const animals = await pages(`/api/v1/animals?farm=${west}&limit=1`, 'animals');
      assert.deepEqual(
        animals.map(({ name, ear_tag, active }) => [name, ear_tag, active]),
        [
          ['Ivy', 'W-1', true],
          ['Rose', 'W-2', false],
        ],
      );
      assert.equal((await pages(`/api/v1/animals?farm=${west}&active=true`, 'animals')).length, 1);
      assert.equal((await pages(`/api/v1/animals?animal=W-2`, 'animals')).length, 1);
      const devices = await pages(`/api/v1/devices?farm=${west}&limit=2`, 'devices');
      assert.deepEqual(devices.map(({ device_uid }) => device_uid).toSorted(), ['meter_001', 't1', 't2']);
    });

    it('the token of a farm reads its farm, without saying so, and nothing else', async () => {
      for (const [path, name] of [
        ['/api/v1/farms?limit=1', 'farms'],
        ['/api/v1/devices?limit=2', 'devices'],
        ['/api/v1/iot/devices?limit=2', 'devices'],
        ['/api/v1/animals?limit=1', 'animals'],
        [`/api/v1/readings?start=${iso(begin)}&limit=7`, 'readings'],
      ] as const) {
        const rows = await pages(path, name, asWest);
        assert.ok(rows.length > 0 && rows.every(({ farm }) => farm === west), path);
      }
      const milkings = await pages('/api/v1/milkings?limit=2', 'milkings', asWest);
      assert.equal(milkings.length, 3);
      const get = async (path: string) => (await ask(connector, path, asWest)).status;
      assert.equal(await get(`/api/v1/farms?farm=${west}`), 200);
      assert.equal(await get('/api/v1/query/sensor/latest/t1'), 200, 'of two farms it is its own');
      for (const path of [
        `/api/v1/farms?farm=${north}`,
        `/api/v1/iot/devices?farm_id=${north}`,
        '/api/v1/status',
        '/api/v1/dead-letters',
        '/api/v1/iot/alerts/1',
        '/api/v1/milkings/latest',
      ])
        assert.equal(await get(path), 403, path);
      const sent = { ...asWest, body: { readings: [] } };
      assert.equal((await ask(connector, '/api/v1/ingest/sensor/batch', sent)).status, 403);
      const milking = { ...asWest, body: milkRecord({ session_id: 'not-ours' }) };
      const ingest = `/api/v1/ingest/milk-production?farm=${west}`;
      assert.equal(
        (await ask(connector, ingest, milking)).status,
        403,
        'a farm in its query makes it no reading',
      );
    });

    it('cursors of others, and numbers beyond all rows, are mistakes of the request', async () => {
      for (const path of [
        '/api/v1/milkings?cursor=abc',
        `/api/v1/milkings?cursor=${Buffer.from('[1,2,3]').toString('base64url')}`,
        `/api/v1/readings?cursor=${Buffer.from('[99999999999,1,1]').toString('base64url')}`,
        '/api/v1/devices?cursor=99999999999',
        '/api/v1/iot/devices?cursor=99999999999',
        `/api/v1/readings?start=2026-02-01&end=2026-01-01`,
      ]) {
        const answer = await ask(connector, path);
        assert.equal(answer.status, 400, `${path}: ${answer.text}`);
        const [error] = answer.body['errors'] as { path: string }[];
        assert.ok(error?.path === 'cursor' || error?.path === 'start');
      }
    });
  });
}
