// Alerts over REST: lists, filters, pages, and the acknowledgement that goes to Odoo. The connector's process on a real database.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { noBroker } from '../../support/stack.ts';
import { ask } from './api-client.ts';

interface Alert {
  id: number;
  device_uid: string;
  alert_type: string;
  severity: string;
  state: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  trigger_value: number;
  threshold_value: number;
  unit: string;
}

describe('alerts over REST', { skip: noBroker() }, () => {
  let connector: TestConnector;
  const started = Date.now();
  /** A milking of a meter; the later it was, the newer are its values. */
  const milking = async (meter: string, cells: number, secondsAgo: number, changes = {}) => {
    const answer = await ask(connector, `/api/v1/ingest/milk-production?farm=${connector.farm}`, {
      body: milkRecord({
        device_id: meter,
        session_id: `s-${meter}`,
        timestamp: new Date(started - secondsAgo * 1_000).toISOString(),
        quality: { fat_percentage: 3.9, protein_percentage: 3.2, somatic_cell_count: cells },
        ...changes,
      }),
    });
    assert.equal(answer.status, 200, answer.text);
  };
  const list = async (query = '') => {
    const answer = await ask(connector, `/api/v1/iot/alerts?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as { alerts: Alert[]; next_cursor: number | null };
  };
  const devices = async (query: string) => (await list(query)).alerts.map(({ device_uid: uid }) => uid);
  const idOf = async (meter: string) => (await list(`device_uid=${meter}`)).alerts[0]?.id ?? 0;
  const outbox = async (id: number) => {
    const [row] = await connector.query<{ revision: number; state: string }>(
      `SELECT o.revision, o.payload ->> 'state' AS state FROM iot.outbox o JOIN iot.alert a ON a.alert_key = o.source_id
       WHERE o.kind = 'alert' AND a.id = $1`,
      [id],
    );
    return row;
  };

  before(async () => {
    connector = await startConnector();
    await milking('m1', 500_000, 300);
    await milking('m2', 900_000, 240);
    await milking('m3', 450_000, 180);
    const told = () =>
      connector.query(`SELECT FROM iot.outbox WHERE kind = 'alert' AND starts_with(source_id, $1)`, [
        connector.farm,
      ]);
    assert.equal((await told()).length, 0, 'nobody has registered the meters');
    await connector.query(
      `UPDATE iot.device d SET state = 'registered' FROM iot.farm f WHERE f.id = d.farm_id AND f.code = $1`,
      [connector.farm],
    );
    assert.equal((await told()).length, 3, 'what was raised before counts from then on');
  });
  after(() => connector.drop());

  it('lists them with the fields of the app, the last first', async () => {
    const { alerts } = await list();
    assert.deepEqual(
      alerts.map(({ device_uid: uid, alert_type: type, severity, state, trigger_value: value }) => [
        uid,
        type,
        severity,
        state,
        value,
      ]),
      [
        ['m3', 'high_scc', 'medium', 'new', 450_000],
        ['m2', 'high_scc', 'high', 'new', 900_000],
        ['m1', 'high_scc', 'medium', 'new', 500_000],
      ],
    );
    assert.deepEqual([alerts[0]?.threshold_value, alerts[0]?.unit], [400_000, 'cells/mL']);
  });

  it('filters and pages', async () => {
    assert.deepEqual(await devices('device_uid=m2'), ['m2']);
    assert.deepEqual(await devices('severity=medium'), ['m3', 'm1']);
    assert.deepEqual(await devices(`farm=${connector.farm}&alert_type=high_scc&limit=1`), ['m3']);
    assert.deepEqual(await devices('farm=nowhere'), []);
    const from = new Date(started - 250_000).toISOString();
    assert.deepEqual(await devices(`start=${from}`), ['m3', 'm2']);
    assert.deepEqual(await devices(`end=${from}`), ['m1']);
    const first = await list('limit=2');
    assert.deepEqual(
      first.alerts.map(({ device_uid: uid }) => uid),
      ['m3', 'm2'],
    );
    const second = await list(`limit=2&cursor=${first.next_cursor}`);
    assert.deepEqual([second.alerts.map(({ device_uid: uid }) => uid), second.next_cursor], [['m1'], null]);
    const wrong = await ask(connector, '/api/v1/iot/alerts?acknowledged=true&state=new');
    assert.equal(wrong.status, 400);
  });

  it('an acknowledgement is noted with its person, and goes to Odoo once', async () => {
    const id = await idOf('m1');
    const acknowledge = (body: unknown) => ask(connector, `/api/v1/iot/alerts/${id}/acknowledge`, { body });
    const before = await outbox(id);
    const answer = await acknowledge({ by: 'Rahim' });
    const { state, acknowledged_by: by, acknowledged_at: at } = answer.body as unknown as Alert;
    assert.deepEqual([answer.status, state, by], [200, 'acknowledged', 'Rahim'], answer.text);
    assert.ok(Math.abs(Date.now() - Date.parse(at ?? '')) < 60_000);
    const put = { revision: (before?.revision ?? 0) + 1, state: 'acknowledged' };
    assert.deepEqual(await outbox(id), put);
    const again = await acknowledge({ by: 'Karim' });
    assert.equal(again.body['acknowledged_by'], 'Rahim');
    assert.deepEqual(await outbox(id), put);
    const { body } = await ask(connector, `/api/v1/iot/alerts/${id}`);
    assert.deepEqual(
      (body['events'] as { state: string; detail: string | null }[]).map(({ state, detail }) => [
        state,
        detail,
      ]),
      [
        ['new', null],
        ['acknowledged', 'Rahim'],
      ],
    );
    assert.deepEqual(await devices('acknowledged=false'), ['m3', 'm2']);
    assert.deepEqual(await devices('acknowledged=true'), ['m1']);
    assert.deepEqual(await devices('state=acknowledged'), ['m1']);
  });

  it('without a body it is acknowledged as well, as the app does it', async () => {
    const id = await idOf('m3');
    const response = await fetch(`${connector.url}/api/v1/iot/alerts/${id}/acknowledge`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connector.token}` },
    });
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as Alert).acknowledged_by, 'over REST');
  });

  it('stays acknowledged when the milking reads differently, until it is over', async () => {
    const id = await idOf('m1');
    await milking('m1', 800_000, 120);
    const [worse] = (await list('device_uid=m1')).alerts;
    assert.deepEqual(
      [worse?.id, worse?.severity, worse?.trigger_value, worse?.state],
      [id, 'high', 800_000, 'acknowledged'],
    );
    assert.equal((await outbox(id))?.state, 'acknowledged');
    await milking('m1', 100_000, 60);
    const [over] = (await list('device_uid=m1')).alerts;
    assert.deepEqual([over?.state, over?.acknowledged_by], ['resolved', 'Rahim']);
    const late = await ask(connector, `/api/v1/iot/alerts/${id}/acknowledge`, { body: {} });
    assert.deepEqual([late.status, late.body['state']], [200, 'resolved']);
  });

  it('what a person has resolved in Odoo does not come back with the same milking', async () => {
    const id = await idOf('m2');
    // As a webhook of Odoo says it.
    await connector.query(
      `UPDATE iot.alert SET state = 'resolved', record = jsonb_set(record, '{state}', '"resolved"') WHERE id = $1`,
      [id],
    );
    await milking('m2', 950_000, 90);
    const [alert] = (await list('device_uid=m2')).alerts;
    assert.deepEqual([alert?.trigger_value, alert?.state], [950_000, 'resolved']);
  });

  it('there is no alert 99999', async () => {
    for (const path of ['99999', '99999/acknowledge']) {
      const answer = await ask(connector, `/api/v1/iot/alerts/${path}`, path === '99999' ? {} : { body: {} });
      assert.equal(answer.status, 404, answer.text);
    }
  });
});
