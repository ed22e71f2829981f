// Queries on known data, on every edition: levels, pages, streams, gaps, caching, and the dashboards' numbers.
import assert from 'node:assert/strict';
import { request, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';

const hour = 3_600_000;
/** Two days back, at midnight UTC: days and hours are whole. */
const start = Math.floor(Date.now() / (24 * hour)) * 24 * hour - 48 * hour;
const iso = (at: number) => new Date(at).toISOString();

interface Point {
  time: string;
  value: number;
  n?: number;
  min?: number;
  max?: number;
  p05?: number;
  median?: number;
  p95?: number;
  interpolated?: boolean;
}

for (const plain of [false, true]) {
  describe(plain ? 'plain PostgreSQL' : 'TimescaleDB', { skip: noBroker() }, () => {
    let connector: TestConnector;
    before(async () => {
      connector = await startConnector({ plain });
      const row = (at: number, value: number, changes = {}) => ({
        farm_id: connector.farm,
        device_uid: 't1',
        device_type: 'temperature',
        metric_name: 'temperature',
        metric_value: value,
        timestamp: iso(at),
        ...changes,
      });
      // A value a minute for a day, silence from 10 to 13 o'clock; and one that is out of range.
      const minutes = Array.from({ length: 1_440 }, (_, index) => index).filter(
        (index) => index < 600 || index >= 780,
      );
      const readings = [
        ...minutes.map((index) => row(start + index * 60_000, index / 60)),
        row(start + 30_500, 9_999),
        row(Date.now() - 60_000, 5),
        row(Date.now() - 60_000, 66, { metric_name: 'humidity', battery_level: 81 }),
      ];
      const answer = await ask(connector, '/api/v1/ingest/sensor/batch', { body: { readings } });
      assert.equal(answer.body['rejected'], 0, answer.text);
      // The job of every minute: what is older than the rollups has to be rolled up.
      await connector.query(`CALL iot.refresh_rollups('0 s')`);
      await connector.query('CALL iot.refresh_percentiles(3)');
      const milk = (changes: Record<string, unknown>) =>
        ask(connector, `/api/v1/ingest/milk-production?farm=${connector.farm}`, {
          body: milkRecord(changes),
        });
      await milk({ session_id: 's1', yield_liters: 10, timestamp: iso(start + 12 * hour) });
      await milk({
        session_id: 's2',
        animal_id: 'A-2',
        rfid_tag: '050000000000002',
        yield_liters: 30,
        timestamp: iso(start + 13 * hour),
        quality: { fat_percentage: 2.9, protein_percentage: 3.2, somatic_cell_count: 105_000 },
      });
    });
    after(() => connector.drop());

    const range = (query: string, headers = {}) =>
      ask(connector, `/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&${query}`, {
        headers,
      });
    const day = `start=${iso(start)}&end=${iso(start + 24 * hour - 1)}`;
    const points = async (query: string) => (await range(query)).body['data'] as Point[];

    it('raw values in pages: every value once, in order', async () => {
      const seen: Point[] = [];
      let cursor = '';
      for (let page = 0; page < 100; page++) {
        const { body } = await range(`${day}&aggregation=raw&limit=500${cursor}`);
        seen.push(...(body['data'] as Point[]));
        if (body['next_cursor'] === null) break;
        cursor = `&cursor=${body['next_cursor'] as string}`;
      }
      assert.equal(seen.length, 1_261);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a.time.localeCompare(b.time)),
      );
      assert.equal(new Set(seen.map(({ time }) => time)).size, seen.length);
    });

    it('buckets hold means, extremes and counts of the good values', async () => {
      const hours = await points(`${day}&aggregation=hourly`);
      assert.equal(hours.length, 21);
      assert.deepEqual(
        [hours[0]?.time, hours[0]?.n, hours[0]?.min, hours[0]?.max],
        [iso(start), 60, 0, 59 / 60],
        'the value out of range is not in it',
      );
      assert.ok(Math.abs((hours[0]?.value ?? 0) - 29.5 / 60) < 1e-9);
      assert.equal((await points(`${day}&aggregation=15min`)).length, 84);
      const days = await points(`${day}&aggregation=daily`);
      assert.deepEqual([days.length, days[0]?.n], [1, 1_260]);
      const pages = await range(`${day}&aggregation=hourly&limit=20`);
      const rest = await range(
        `${day}&aggregation=hourly&limit=20&cursor=${String(pages.body['next_cursor'])}`,
      );
      assert.deepEqual([...(pages.body['data'] as Point[]), ...(rest.body['data'] as Point[])], hours);
    });

    it('hours and days have percentiles when asked for', async () => {
      const [, hour] = await points(`${day}&aggregation=hourly&percentiles=true`);
      const spread = [hour?.p05, hour?.median, hour?.p95].map((value) => Math.round((value ?? 0) * 60));
      assert.deepEqual(spread, [63, 90, 116], 'of the minutes 60 to 119');
      const [whole] = await points(`${day}&aggregation=daily&percentiles=true`);
      assert.ok(Math.abs((whole?.median ?? 0) - 809.5 / 60) < 1e-9, 'the silent hours do not count');
      const csv = await range(`${day}&aggregation=daily&percentiles=true&format=csv`);
      assert.equal(
        csv.text.split('\n')[0],
        'time,value,n,min,max,first,last,stddev,p05,median,p95,interpolated',
      );
      assert.ok(!('median' in ((await points(`${day}&aggregation=daily`))[0] ?? {})));
      const refused = await range(`${day}&aggregation=15min&percentiles=true`);
      assert.equal(refused.status, 400);
      assert.match(String(refused.body['detail']), /^percentiles: only hourly and daily/);
    });

    it('the level follows the span', async () => {
      for (const [hours, level] of [
        [24, 'raw'],
        [25, '15min'],
        [24 * 15, 'hourly'],
        [24 * 91, 'daily'],
      ] as const) {
        const { body } = await range(`start=${iso(start)}&end=${iso(start + hours * hour)}`);
        assert.equal(body['aggregation'], level);
      }
    });

    it('gaps are filled on request only, and marked, across pages too', async () => {
      const filled = await points(`${day}&aggregation=hourly&fill=linear`);
      assert.equal(filled.length, 24);
      assert.deepEqual(
        filled.filter(({ interpolated }) => interpolated === true).map(({ time }) => time),
        [10, 11, 12].map((index) => iso(start + index * hour)),
      );
      assert.ok(Math.abs((filled[11]?.value ?? 0) - (11 + 29.5 / 60)) < 1e-9, 'on the straight line');
      const first = await range(`${day}&aggregation=hourly&fill=linear&limit=10`);
      const second = await range(
        `${day}&aggregation=hourly&fill=linear&limit=100&cursor=${String(first.body['next_cursor'])}`,
      );
      assert.deepEqual([...(first.body['data'] as Point[]), ...(second.body['data'] as Point[])], filled);
    });

    it('CSV and NDJSON stream the same values', async () => {
      const raw = await points(`${day}&aggregation=raw`);
      const csv = await range(`${day}&aggregation=raw&format=csv`);
      assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
      const [head, ...lines] = csv.text.trimEnd().split('\n');
      assert.equal(head, 'time,value,quality');
      assert.equal(lines.length, raw.length);
      assert.equal(lines[0], `${raw[0]?.time ?? ''},0,0`);
      const ndjson = await range(`${day}&aggregation=raw&format=ndjson`);
      assert.deepEqual(
        ndjson.text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Point),
        raw,
      );
      const buckets = await range(`${day}&aggregation=hourly&format=csv&fill=linear`);
      assert.equal(buckets.text.split('\n')[0], 'time,value,n,min,max,first,last,stddev,interpolated');
      assert.equal(buckets.headers.get('content-encoding'), 'gzip', 'fetch asks for it');
      // Without an offset it is the farm's time, Dhaka's in tests.
      const local = (at: number) => iso(at + 6 * hour).slice(0, -1);
      const said = `start=${local(start)}&end=${local(start + 24 * hour - 1)}`;
      assert.equal((await range(`${said}&aggregation=raw&format=csv`)).text, csv.text);
      const empty = await range('start=2020-01-01&end=2020-01-02&aggregation=raw&format=csv');
      assert.equal(empty.text, 'time,value,quality\n');
    });

    it('an answer that did not change is not sent again', async () => {
      const first = await range(`${day}&aggregation=hourly`);
      assert.equal(first.headers.get('cache-control'), 'private, max-age=5');
      const etag = first.headers.get('etag') ?? '';
      // fetch adds Cache-Control: no-cache here, so plain HTTP has to ask.
      const path = `/api/v1/query/sensor/range?device_uid=t1&metric_name=temperature&${day}&aggregation=hourly`;
      const headers = { authorization: `Bearer ${connector.token}`, 'if-none-match': etag };
      const again = await new Promise<IncomingMessage>((resolve, reject) => {
        request(connector.url + path, { headers }, resolve)
          .on('error', reject)
          .end();
      });
      again.resume();
      assert.equal(again.statusCode, 304);
    });

    it('the latest value of each metric', async () => {
      const { body } = await ask(connector, '/api/v1/query/sensor/latest/t1');
      const { readings, ...top } = body as {
        readings: { metric_name: string; metric_value: number }[];
      } & Record<string, unknown>;
      assert.deepEqual(
        readings.map(({ metric_name: name, metric_value: value }) => [name, value]),
        [
          ['battery', 81],
          ['humidity', 66],
          ['temperature', 5],
        ],
      );
      assert.deepEqual(
        [top['device_type'], top['farm'], top['metric_unit']],
        ['temperature', connector.farm, '%'],
      );
    });

    it('a uid that two farms use needs the farm', async () => {
      const other = {
        farm_id: `${connector.farm}b`,
        device_uid: 't1',
        device_type: 'temperature',
        metric_name: 'temperature',
        metric_value: 1,
      };
      await ask(connector, '/api/v1/ingest/sensor', { body: other });
      const unclear = await ask(connector, '/api/v1/query/sensor/latest/t1');
      assert.equal(unclear.status, 400);
      assert.match(String(unclear.body['detail']), /several farms have a device t1/);
      const clear = await ask(connector, `/api/v1/query/sensor/latest/t1?farm=${connector.farm}b`);
      assert.equal(clear.body['metric_value'], 1);
      await connector.query(
        `DELETE FROM iot.reading WHERE device_id = (SELECT d.id FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id WHERE f.code = $1)`,
        [`${connector.farm}b`],
      );
      await connector.query(
        `DELETE FROM iot.device WHERE farm_id = (SELECT id FROM iot.farm WHERE code = $1)`,
        [`${connector.farm}b`],
      );
    });

    it('devices, their readings and the dashboard', async () => {
      const { body: list } = await ask(connector, `/api/v1/iot/devices?farm=${connector.farm}`);
      const devices = list['devices'] as Record<string, unknown>[];
      assert.deepEqual(
        devices.map((device) => [device['device_uid'], device['last_value'], device['battery_level']]),
        [
          ['t1', 5, 81],
          ['meter_001', null, null],
        ],
      );
      const { body: one } = await ask(connector, `/api/v1/iot/devices?farm=${connector.farm}&limit=1`);
      assert.equal((one['devices'] as unknown[]).length, 1);
      const { body: next } = await ask(
        connector,
        `/api/v1/iot/devices?farm=${connector.farm}&limit=1&cursor=${String(one['next_cursor'])}`,
      );
      assert.equal((next['devices'] as { device_uid: string }[])[0]?.device_uid, 'meter_001');
      const { body: readings } = await ask(
        connector,
        '/api/v1/iot/devices/t1/readings?limit=2&reading_type=temperature',
      );
      assert.deepEqual(
        (readings['readings'] as { value: number }[]).map(({ value }) => value),
        [5],
      );
      const { body: summary } = await ask(connector, `/api/v1/iot/dashboard/summary?farm=${connector.farm}`);
      assert.equal(summary['total_devices'], 2);
      await eventually(
        'three readings of the last hour, beside those that other tests bring over the broker',
        async () => {
          const { body: stats } = await ask(connector, '/api/v1/stats/ingestion');
          const [others] = await connector.query<{ n: number }>(
            `SELECT coalesce(sum(r.n), 0)::int AS n FROM iot.reading_15min r JOIN iot.device d ON d.id = r.device_id
             JOIN iot.farm f ON f.id = d.farm_id WHERE f.code <> $1 AND r.bucket > now() - INTERVAL '1 hour'`,
            [connector.farm],
          );
          return stats['readings_last_hour'] === 3 + (others?.n ?? 0);
        },
      );
    });

    it('charts and trends', async () => {
      for (const [period, points] of [
        ['1h', 1],
        ['7d', 22],
        ['30d', 5],
      ] as const) {
        const { body } = await ask(
          connector,
          `/api/v1/iot/dashboard/temperature/chart?device_uid=t1&period=${period}`,
        );
        const data = body['data'] as { avg: number; min: number; max: number }[];
        assert.ok(Math.abs(data.length - points) <= 1, `${period}: ${data.length}`);
        assert.ok(data.every(({ avg, min, max }) => min <= avg && avg <= max));
      }
      const { body } = await ask(
        connector,
        '/api/v1/iot/analytics/temperature/trends?days=5&device_uids=t1&device_uids=t2',
      );
      const trends = body['trends'] as Record<string, unknown>[];
      assert.deepEqual(trends.map((trend) => [trend['date'], trend['min_temp'], trend['max_temp']])[0], [
        iso(start).slice(0, 10),
        0,
        23.98,
      ]);
    });

    it('data quality of a device, day by day', async () => {
      await connector.query('SELECT iot.refresh_device_quality($1)', [iso(start).slice(0, 10)]);
      const { body } = await ask(connector, '/api/v1/iot/analytics/data-quality?device_uids=t1&days=3');
      const days = (body['quality'] as Record<string, unknown>[]).filter(
        ({ date }) => date === iso(start).slice(0, 10),
      );
      assert.deepEqual(days, [
        {
          date: iso(start).slice(0, 10),
          device_uid: 't1',
          device_id: 't1',
          farm: connector.farm,
          farm_id: connector.farm,
          // A good share of 1,260 in 1,261, without the three silent hours.
          score: 87.4,
          readings: 1_261,
          good: 1_260,
          out_of_range: 1,
          rate_of_change: 0,
          stuck: 0,
          other: 0,
          gap_seconds: 10_860,
        },
      ]);
      const none = await ask(connector, '/api/v1/iot/analytics/data-quality?farm=elsewhere');
      assert.deepEqual(none.body, { period_days: 7, quality: [] });
    });

    it('milk production and quality, weighted by yield', async () => {
      const { body } = await ask(
        connector,
        `/api/v1/iot/dashboard/milk/production?period=7d&farm=${connector.farm}`,
      );
      const data = body['data'] as Record<string, unknown>[];
      assert.equal(data.length, 1);
      assert.deepEqual([data[0]?.['volume'], data[0]?.['yield_kg'], data[0]?.['milkings']], [40, 41.2, 2]);
      assert.equal(data[0]?.['avg_fat'], 3.15);
      // Midnight in Dhaka, the farm's time zone in tests.
      assert.match(String(data[0]['timestamp']), /T18:00:00/);
      const report = await ask(connector, '/api/v1/iot/analytics/milk/quality-report');
      assert.deepEqual((report.body['report'] as unknown[])[0], {
        date: iso(start + 12 * hour).slice(0, 10),
        avg_fat_percent: 3.15,
        avg_protein_percent: 3.2,
        avg_scc: 115_000,
        avg_conductivity: null,
        total_volume_liters: 40,
        animals_milked: 2,
        quality_grade: 'B',
      });
    });
  });
}
